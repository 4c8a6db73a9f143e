"""The player: its one page at each of its addresses, and what that page loads."""

from pathlib import Path
from typing import Annotated, Any

from quart import Blueprint, Response, abort, request

from trio_stream.http.json_text import encode
from trio_stream.http.representation import ASK_FIRST, FOR_EVER
from trio_stream.web.api.wire.figures import Health
from trio_stream.web.api.wire.operations import JSON, PAGES, Header, Operation, Returns, declares
from trio_stream.web.api.wire.parts import SAMPLE_ID, says
from trio_stream.web.asgi.compression import takes_gzip
from trio_stream.web.site import views
from trio_stream.web.site.build import Build, read_build
from trio_stream.web.site.docs import HTML, NO_FILE, PAGE, sent
from trio_stream.web.site.health import health, protected

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

ANY = {"id": Annotated[str, says("The id of a video; the page itself says if there is none.", SAMPLE_ID)]}
SHOWN: dict[str, Any] = {
    "tag": PAGES,
    "returns": (
        PAGE,
        Returns("The player is not built; the page says how to do that.", {"text/html": (str,)}, status=503),
    ),
    "conditional": "file",
}


class Player:
    """The player that is built in `folder`, read when the server starts."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._build = Build()
        self.blueprint = blueprint = Blueprint("player", __name__)
        blueprint.after_request(protect)
        blueprint.get("/")(self._home)
        for address in ("/watch/<path:id_>", "/socket/<path:id_>", "/live"):
            blueprint.get(address)(self._page)
        blueprint.get("/assets/<file>")(self._asset)

    async def read(self) -> None:
        """Read what is built; done anew only when the server starts again."""
        self._build = read_build(self._folder)

    @declares(
        Operation(
            id="home",
            tag=PAGES,
            summary="The library",
            returns=(
                Returns(
                    "The page for browsers, who name `text/html` in `Accept`; health for everyone else.",
                    {"text/html": (str,), JSON: (Health,)},
                ),
            ),
            conditional="file",
        )
    )
    async def _home(self) -> Response:
        """The library for browsers; health for others."""
        # Chosen by what the client says it takes (RFC 9110 section 12.5.1): browsers name text/html, others take
        # anything.
        if request.accept_mimetypes.best_match(["application/json", "text/html"]) == "text/html":
            return self._index(unbuilt=200, vary="Accept")
        response = Response(encode(health()), content_type=JSON)
        response.headers["Vary"] = "Accept"
        return response

    @declares(
        Operation(id="watchPage", summary="One video", places=ANY, **SHOWN),
        Operation(id="socketPage", summary="One video, by WebSocket", places=ANY, **SHOWN),
        Operation(id="livePage", summary="What goes on in the server", **SHOWN),
    )
    async def _page(self, id_: str = "") -> Response:
        """One video, the same by WebSocket, and what goes on in the server."""
        return self._index()

    @declares(
        Operation(
            id="playerAsset",
            tag=PAGES,
            summary="What these pages load",
            curl="curl --compressed {url}",
            returns=(Returns("The file.", headers={"Cache-Control": Header("For good.", FOR_EVER)}),),
            raises=(NO_FILE,),
            places={
                "file": Annotated[str, says("Its name, with a hash of what is in it.", "index-DpJZya73.js")]
            },
            conditional="file",
        )
    )
    async def _asset(self, file: str) -> Response:
        """What the page loads. The names have a hash of the content in them."""
        found = self._build.assets.get(file)
        if found is None:
            abort(404)
        packed = self._build.gzipped.get(file)
        if packed is None:
            return sent(found, FOR_EVER)
        if takes_gzip():
            return sent(packed, FOR_EVER, vary="Accept-Encoding", coding="gzip")
        return sent(found, FOR_EVER, vary="Accept-Encoding")

    def _index(self, *, unbuilt: int = 503, vary: str | None = None) -> Response:
        """The one page there is; its script looks at the address. `unbuilt` is the status where there is none."""
        index = self._build.index
        if index is not None:
            return sent(index, ASK_FIRST, vary=vary)
        response = Response(views.unbuilt_page(), status=unbuilt, content_type=HTML)
        response.headers["Cache-Control"] = "no-store"
        if vary is not None:
            response.headers["Vary"] = vary
        return response


async def protect(response: Response) -> Response:
    """Say what browsers may make of what comes from here."""
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    response.headers["Permissions-Policy"] = PERMISSIONS
    return protected(response, POLICY)
