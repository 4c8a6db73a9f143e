"""The description of the API, for people and for programs."""

from collections.abc import Callable
from functools import cache
from typing import Annotated, Any, cast

from hypercorn.typing import HTTPScope
from quart import Blueprint, Response, abort, request

from trio_stream.errors import DerivedNotFound
from trio_stream.http.json_text import encode_ascii
from trio_stream.http.preconditions import Validators
from trio_stream.http.representation import ASK_FIRST, FOR_EVER, Representation
from trio_stream.web.api.wire.operations import (
    JSON,
    PAGES,
    Operation,
    Raises,
    Returns,
    declares,
)
from trio_stream.web.api.wire.parts import says
from trio_stream.web.asgi.direct import DirectRequest, DirectResponse, StreamedResponse
from trio_stream.web.asgi.exchange import exchange
from trio_stream.web.site import views
from trio_stream.web.site.health import protect

HTML = "text/html; charset=utf-8"

PAGE = Returns("The page.", {"text/html": (str,)})
NO_FILE: Raises = {DerivedNotFound: "There is no such file."}


def blueprint(describe: Callable[[], dict[str, Any]]) -> Blueprint:
    """The description that `describe` makes."""
    blueprint = Blueprint("pages", __name__)
    describe = cache(describe)  # it walks all routes, and two addresses show it

    @cache
    def described() -> views.Asset:
        return views.asset_of("openapi.json", encode_ascii(describe()))

    @cache
    def for_people() -> views.Asset:
        return views.asset_of("docs.html", views.docs_page(describe()).encode())

    blueprint.after_request(protect)

    @blueprint.get("/docs")
    @declares(
        Operation(id="docs", tag=PAGES, summary="This documentation", returns=(PAGE,), conditional="file")
    )
    async def docs() -> Response:
        """The same for people."""
        return sent(for_people(), ASK_FIRST)

    @blueprint.get("/openapi.json")
    @declares(
        Operation(
            id="openapi",
            tag=PAGES,
            summary="This description",
            returns=(Returns("This description.", {JSON: (dict,)}),),
            conditional="file",
        )
    )
    async def description() -> Response:
        """The description of the API, for programs."""
        return sent(described(), ASK_FIRST)

    @blueprint.get("/static/<file>")
    @declares(
        Operation(
            id="asset",
            tag=PAGES,
            summary="What the documentation needs to look good",
            returns=(Returns("The file."),),
            raises=(NO_FILE,),
            places={"file": Annotated[str, says("The name of the file.", "page.css")]},
            conditional="file",
        )
    )
    async def asset(file: str) -> Response:
        """A style or picture of our own pages."""
        found = views.ASSETS.get(file)
        if found is None:
            abort(404)
        # Our pages ask with the tag of the content, so that what they got never needs to be asked for again.
        lasting = request.args.get("v") == found.tag
        return sent(found, FOR_EVER if lasting else ASK_FIRST)

    return blueprint


def sent(asset: views.Asset, caching: str, *, vary: str | None = None, coding: str | None = None) -> Response:
    """What the request is answered with, of a file in memory; `vary` and `coding` as in `Representation`.

    Raises `PreconditionFailed` and `RangeNotSatisfiable`.
    """
    answer = DirectRequest.of(cast("HTTPScope", request.scope), exchange()).respond(
        Representation(
            size=len(asset.content),
            validators=Validators(etag=f'"{asset.tag}"', modified=asset.modified),
            media_type=asset.content_type,
            caching=caching,
            parts=(asset.content,),
            vary=vary,
            coding=coding,
        )
    )
    return StreamedResponse(DirectResponse.at_hand(answer))
