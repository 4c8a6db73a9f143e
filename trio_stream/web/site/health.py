"""Health for machines, and what browsers may make of all that comes from here."""

from quart import Blueprint, Response

from trio_stream import __version__
from trio_stream.web.api.wire.figures import Health, Ready
from trio_stream.web.api.wire.operations import HEALTH, Operation, json_of, problem_of, returns_json
from trio_stream.web.asgi.exchange import services
from trio_stream.web.asgi.problems import problem, response

blueprint = Blueprint("health", __name__)

POLICY = "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'"
"""Nothing from elsewhere, and nothing that was slipped into a page: not even by a file with a clever name."""


def protected(response: Response, policy: str) -> Response:
    """The response with `policy` and what all pages have besides."""
    response.headers["Content-Security-Policy"] = policy
    response.headers["X-Content-Type-Options"] = "nosniff"
    # Not `no-referrer`, which may turn the origin of our own pages into `null`; and that one we refuse.
    response.headers["Referrer-Policy"] = "same-origin"
    return response


@blueprint.after_request
async def protect(response: Response) -> Response:
    """Say what browsers may make of what comes from here."""
    return protected(response, POLICY)


def health() -> Health:
    """What machines ask a server for first."""
    return Health(name="Trio Stream", version=__version__)


@blueprint.get("/healthz")
@returns_json(
    Operation(
        id="healthz",
        tag=HEALTH,
        summary="Does the server answer?",
        returns=(json_of("It does.", Health),),
    )
)
async def healthz() -> Health:
    """The server answers."""
    return health()


@blueprint.get("/readyz")
@returns_json(
    Operation(
        id="readyz",
        tag=HEALTH,
        summary="Does all of it work?",
        returns=(
            json_of("It does.", Ready),
            problem_of(
                "Background services, which the detail names, have died; or the videos cannot be read.", 503
            ),
        ),
    )
)
async def readyz() -> Response | Ready:
    """The server and all its background services work, and the folder of videos can be read."""
    dead = services().health.dead
    if dead:
        names = ", ".join(sorted(dead))
        why = f"these background services have died and will begin again: {names}"
        return response(problem(503, "not-ready", why))
    await services().catalog.check()
    return Ready()
