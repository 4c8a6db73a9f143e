"""Who sent a request, and what they may do: pages hide what the server would refuse."""

from quart import Blueprint

from trio_stream.accounts.grants import Verb
from trio_stream.web.api.wire.me import Me
from trio_stream.web.api.wire.operations import ACCESS, Operation, json_of, returns_json
from trio_stream.web.asgi.exchange import exchange

blueprint = Blueprint("me", __name__)


@blueprint.get("/api/me")
@returns_json(
    Operation(
        id="me",
        tag=ACCESS,
        summary="Get what you may do",
        verb=None,
        returns=(json_of("Who sent the request, and what they may do.", Me),),
    )
)
async def me() -> Me:
    """Who sent the request, and what they may do."""
    grant = exchange().grant
    return Me(name=grant.name, verbs=[verb.value for verb in Verb if verb in grant.verbs])
