"""Health checks for programs, and the security headers of the pages."""

from quart import Blueprint, Response

from trio_stream import __version__
from trio_stream.web.api.wire.figures import Health, Ready
from trio_stream.web.api.wire.operations import HEALTH, Operation, json_of, problem_of, returns_json
from trio_stream.web.asgi.exchange import services
from trio_stream.web.asgi.problems import problem, response

blueprint = Blueprint("health", __name__)

POLICY = "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'"
"""Only this host, and no inline scripts or styles, so that nothing can be injected: not even by a crafted file name."""


def protected(response: Response, policy: str) -> Response:
    """The response with `policy` and the other security headers of the pages."""
    response.headers["Content-Security-Policy"] = policy
    response.headers["X-Content-Type-Options"] = "nosniff"
    # Not `no-referrer`, which may make the origin of our own pages `null`, and we refuse that origin.
    response.headers["Referrer-Policy"] = "same-origin"
    return response


@blueprint.after_request
async def protect(response: Response) -> Response:
    """Add the security headers."""
    return protected(response, POLICY)


def health() -> Health:
    """The health of this server."""
    return Health(name="Trio Stream", version=__version__)


@blueprint.get("/healthz")
@returns_json(
    Operation(
        id="healthz",
        tag=HEALTH,
        summary="Does the server respond?",
        verb=None,
        returns=(json_of("It does.", Health),),
    )
)
async def healthz() -> Health:
    """The server responds."""
    return health()


@blueprint.get("/readyz")
@returns_json(
    Operation(
        id="readyz",
        tag=HEALTH,
        summary="Does everything work?",
        verb=None,
        returns=(
            json_of("It does.", Ready),
            problem_of(
                "Background services have failed (the detail names them), or the videos cannot be read.", 503
            ),
        ),
    )
)
async def readyz() -> Response | Ready:
    """The server and all its background services work, and the folder of videos can be read."""
    dead = services().health.dead
    if dead:
        names = ", ".join(sorted(dead))
        reason = f"these background services have failed and will restart: {names}"
        return response(problem(503, "not-ready", reason))
    await services().catalog.check()
    return Ready()
