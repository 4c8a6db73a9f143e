"""The player: its one page at each of its addresses, and what that page loads."""

from typing import TYPE_CHECKING, cast

from quart import Blueprint, Response, abort, current_app, jsonify, request

from trio_stream.http.representation import ASK_FIRST, FOR_EVER
from trio_stream.web.asgi.compression import takes_gzip
from trio_stream.web.site import views
from trio_stream.web.site.build import Build
from trio_stream.web.site.docs import HTML, health, protected, sent

if TYPE_CHECKING:
    from trio_stream.app import TrioStream

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self' blob:; "
    "connect-src 'self'; worker-src 'self'; font-src 'self'; manifest-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""This host and nothing else, but for what a script has put together itself (`blob:`, Media Source Extensions).

It goes with the scripts, too: a worker obeys the policy that it came with.
"""

_DENIED = ("camera", "display-capture", "geolocation", "microphone", "midi", "payment", "usb")
_ALLOWED = ("autoplay", "fullscreen", "picture-in-picture")
PERMISSIONS = ", ".join([f"{name}=(self)" for name in _ALLOWED] + [f"{name}=()" for name in _DENIED])

blueprint = Blueprint("player", __name__)


@blueprint.after_request
async def protect(response: Response) -> Response:
    """Say what browsers may make of what comes from here."""
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    response.headers["Permissions-Policy"] = PERMISSIONS
    return protected(response, POLICY)


@blueprint.get("/")
async def home() -> Response:
    """The library for browsers; health for others."""
    # Chosen by what the client says it takes (RFC 9110 section 12.5.1): browsers name text/html, others take
    # anything.
    if request.accept_mimetypes.best_match(["application/json", "text/html"]) == "text/html":
        return _page(unbuilt=200, vary="Accept")
    response = jsonify(health())
    response.headers["Vary"] = "Accept"
    return response


@blueprint.get("/watch/<path:id_>")
@blueprint.get("/socket/<path:id_>")
@blueprint.get("/live")
async def page(id_: str = "") -> Response:
    """One video, the same by WebSocket, and what goes on in the server."""
    return _page()


@blueprint.get("/assets/<file>")
async def asset(file: str) -> Response:
    """What the page loads. The names have a hash of the content in them."""
    build = _build()
    found = build.assets.get(file)
    if found is None:
        abort(404)
    packed = build.gzipped.get(file)
    if packed is None:
        return sent(found, FOR_EVER)
    if takes_gzip():
        return sent(packed, FOR_EVER, vary="Accept-Encoding", coding="gzip")
    return sent(found, FOR_EVER, vary="Accept-Encoding")


def _build() -> Build:
    return cast("TrioStream", current_app).player


def _page(*, unbuilt: int = 503, vary: str | None = None) -> Response:
    """The one page there is; its script looks at the address. `unbuilt` is the status where there is none."""
    index = _build().index
    if index is not None:
        return sent(index, ASK_FIRST, vary=vary)
    response = Response(views.unbuilt_page(), status=unbuilt, content_type=HTML)
    response.headers["Cache-Control"] = "no-store"
    if vary is not None:
        response.headers["Vary"] = vary
    return response
