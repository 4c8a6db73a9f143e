"""What holds for every exchange, whichever way it is served: names of the server, other sites, preconditions.

Nothing is served under a name that is not this server's (DNS rebinding). Pages of other sites change nothing, and read
nothing unless they are allowed to (the Fetch standard's CORS protocol). `If-Match` with entity-tags fails where there
are none (RFC 9110 section 13.1.1): who sends it does not want to change a state that they do not know. Conditions about
dates are ignored there (section 13.1.4), and so is `Range` (section 14.2).
"""

from hypercorn.typing import HTTPScope
from quart import Quart, websocket

from trio_stream.errors import ForeignOrigin, PreconditionFailed
from trio_stream.http.cors import is_foreign, preflight_headers
from trio_stream.http.fields import Headers
from trio_stream.http.preconditions import requires_entity_tag
from trio_stream.web.asgi.exchange import Exchange, exchange

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that only read (RFC 9110 section 9.2.1), of those there are here."""


def check_request(held: Exchange, scope: HTTPScope, allowed: frozenset[str]) -> Headers | None:
    """The headers that answer a CORS preflight request; None for any other request, which may be served.

    Raises `WrongHost`, `ForeignOrigin` and `PreconditionFailed`.
    """
    fields = held.fields
    host = held.host()
    if scope["method"] == "OPTIONS" and "origin" in fields and "access-control-request-method" in fields:
        return preflight_headers(fields["origin"], fields["access-control-request-method"], allowed)
    if scope["method"] not in SAFE_METHODS:
        _refuse_foreign(held, host, scope["scheme"], allowed)
        if requires_entity_tag(fields):
            raise PreconditionFailed(())
    return None


def register(app: Quart, allowed: frozenset[str]) -> None:
    """Hold every WebSocket of `app` to the same; requests are checked before Quart has them."""

    @app.before_websocket
    async def check_websocket() -> None:
        held = exchange()
        _refuse_foreign(held, held.host(), websocket.scheme, allowed)


def _refuse_foreign(held: Exchange, host: str | None, scheme: str, allowed: frozenset[str]) -> None:
    origin = held.fields.get("origin")
    if is_foreign(origin, host, scheme, allowed):
        raise ForeignOrigin(f"pages of {origin} may not do this here")
