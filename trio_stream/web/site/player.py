"""The player: its HTML file at each of its URLs, and the files it loads."""

from pathlib import Path
from typing import Annotated, Any

from quart import Blueprint, Response, abort, request

from trio_stream.accounts.grants import Verb
from trio_stream.errors import NotOpen
from trio_stream.http.json_text import encode
from trio_stream.http.representation import IMMUTABLE, REVALIDATE
from trio_stream.web.api.wire.figures import Health
from trio_stream.web.api.wire.operations import JSON, PAGES, Header, Operation, Returns, declares
from trio_stream.web.api.wire.parts import SAMPLE_ID, says
from trio_stream.web.asgi import access
from trio_stream.web.asgi.compression import accepts_gzip
from trio_stream.web.asgi.exchange import exchange
from trio_stream.web.site import i18n, views
from trio_stream.web.site.build import Build, read_build
from trio_stream.web.site.docs import HTML, NO_FILE, PAGE, send
from trio_stream.web.site.health import health, protected

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self' blob:; "
    "connect-src 'self'; worker-src 'self'; font-src 'self'; manifest-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Only this host, and media that a script assembles (`blob:`, Media Source Extensions).

Scripts are sent with it, too: a worker follows the policy of its own response.
"""

_DENIED = ("camera", "display-capture", "geolocation", "microphone", "midi", "payment", "usb")
_ALLOWED = ("autoplay", "fullscreen", "picture-in-picture")
PERMISSIONS = ", ".join([f"{name}=(self)" for name in _ALLOWED] + [f"{name}=()" for name in _DENIED])

VIDEO_PATH = {"id": Annotated[str, says("The id of a video. If there is none, the page says so.", SAMPLE_ID)]}
PAGE_OPERATION: dict[str, Any] = {
    "tag": PAGES,
    "verb": Verb.WATCH,
    "returns": (
        PAGE,
        Returns(
            "The player is not built; the page explains how to build it.", {"text/html": (str,)}, status=503
        ),
    ),
    "conditional": "file",
}


class Player:
    """The player built in `folder`, read when the server starts."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._build = Build()
        self.blueprint = blueprint = Blueprint("player", __name__)
        blueprint.after_request(protect)
        blueprint.register_error_handler(NotOpen, _not_open)
        blueprint.get("/")(self._home)
        for address in ("/watch/<path:id_>", "/socket/<path:id_>", "/live"):
            blueprint.get(address)(self._page)
        blueprint.get("/assets/<file>")(self._asset)

    async def read(self) -> None:
        """Read the build, once per start of the server."""
        self._build = read_build(self._folder)

    @declares(
        Operation(
            id="home",
            tag=PAGES,
            summary="The library",
            verb=None,
            returns=(
                Returns(
                    "The page for browsers, which name `text/html` in `Accept`; the health for other clients.",
                    {"text/html": (str,), JSON: (Health,)},
                ),
            ),
            conditional="file",
        )
    )
    async def _home(self) -> Response:
        """The library for browsers; the health for other clients."""
        # Chosen by `Accept` (RFC 9110 section 12.5.1): browsers name text/html, other clients accept anything.
        if request.accept_mimetypes.best_match(["application/json", "text/html"]) == "text/html":
            access.check(exchange(), Verb.WATCH)
            return self._index(unbuilt=200, vary="Accept")
        response = Response(encode(health()), content_type=JSON)
        response.headers["Vary"] = "Accept"
        return response

    @declares(
        Operation(id="watchPage", summary="One video", path=VIDEO_PATH, **PAGE_OPERATION),
        Operation(id="socketPage", summary="One video, by WebSocket", path=VIDEO_PATH, **PAGE_OPERATION),
        Operation(id="livePage", summary="The activity of the server", **PAGE_OPERATION),
    )
    async def _page(self, id_: str = "") -> Response:
        """One video, the same over WebSocket, and the activity of the server."""
        return self._index()

    @declares(
        Operation(
            id="playerAsset",
            tag=PAGES,
            summary="Files of these pages",
            verb=None,
            curl="curl --compressed {url}",
            returns=(Returns("The file.", headers={"Cache-Control": Header("Forever.", IMMUTABLE)}),),
            raises=(NO_FILE,),
            path={"file": Annotated[str, says("Its name, with a hash of its content.", "index-DpJZya73.js")]},
            conditional="file",
        )
    )
    async def _asset(self, file: str) -> Response:
        """A file that the page loads. Its name has a hash of its content."""
        asset = self._build.assets.get(file)
        if asset is None:
            abort(404)
        compressed = self._build.gzipped.get(file)
        if compressed is None:
            return send(asset, IMMUTABLE)
        if accepts_gzip():
            return send(compressed, IMMUTABLE, vary="Accept-Encoding", coding="gzip")
        return send(asset, IMMUTABLE, vary="Accept-Encoding")

    def _index(self, *, unbuilt: int = 503, vary: str | None = None) -> Response:
        """The HTML file, whose script reads the URL; or, with the status `unbuilt`, how to build the player."""
        index = self._build.index
        if index is not None:
            return send(index, REVALIDATE, vary=vary)
        page = views.unbuilt_page(i18n.requested_language())
        response = Response(page, status=unbuilt, content_type=HTML)
        response.headers["Cache-Control"] = "no-store"
        response.headers["Vary"] = i18n.VARY if vary is None else f"{vary}, {i18n.VARY}"
        return i18n.store_choice(response)


async def _not_open(_: Exception) -> Response:
    """The page for other machines."""
    response = Response(views.not_open_page(i18n.requested_language()), status=403, content_type=HTML)
    response.headers["Cache-Control"] = "no-store"
    response.headers["Vary"] = f"Accept, {i18n.VARY}"
    return i18n.store_choice(response)


async def protect(response: Response) -> Response:
    """Add the security headers of the player."""
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    response.headers["Permissions-Policy"] = PERMISSIONS
    return protected(response, POLICY)
