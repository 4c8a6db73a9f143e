"""The API reference at `/docs`, and the OpenAPI description at `/openapi.json`."""

from collections.abc import Callable
from functools import cache
from typing import Annotated, Any, cast

from hypercorn.typing import HTTPScope
from quart import Blueprint, Response, abort, request

from trio_stream.accounts.grants import Verb
from trio_stream.errors import DerivedNotFound
from trio_stream.http.json_text import encode_ascii
from trio_stream.http.preconditions import Validators
from trio_stream.http.representation import IMMUTABLE, REVALIDATE, Representation
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
from trio_stream.web.site import i18n, views
from trio_stream.web.site.health import protect

HTML = "text/html; charset=utf-8"

PAGE = Returns("The page.", {"text/html": (str,)})
NO_FILE: Raises = {DerivedNotFound: "No such file."}


def blueprint(describe: Callable[[], dict[str, Any]]) -> Blueprint:
    """The routes of the API reference and of the description that `describe` returns."""
    blueprint = Blueprint("pages", __name__)
    describe = cache(describe)  # it walks all routes, and two routes use it

    @cache
    def openapi_json() -> views.Asset:
        return views.asset_of("openapi.json", encode_ascii(describe()))

    @cache
    def docs_html(language: str) -> views.Asset:
        return views.asset_of("docs.html", views.docs_page(describe(), language).encode())

    blueprint.after_request(protect)

    @blueprint.get("/docs")
    @declares(
        Operation(
            id="docs",
            tag=PAGES,
            summary="This documentation",
            verb=Verb.OPERATE,
            description="In English or Brazilian Portuguese, chosen by `Accept-Language`.",
            returns=(PAGE,),
            conditional="file",
        )
    )
    async def docs() -> Response:
        """The API reference."""
        language = i18n.requested_language()
        return i18n.store_choice(send(docs_html(language), REVALIDATE, vary=i18n.VARY))

    @blueprint.get("/openapi.json")
    @declares(
        Operation(
            id="openapi",
            tag=PAGES,
            summary="This description",
            verb=Verb.OPERATE,
            returns=(Returns("This description.", {JSON: (dict,)}),),
            conditional="file",
        )
    )
    async def description() -> Response:
        """The OpenAPI description."""
        return send(openapi_json(), REVALIDATE)

    @blueprint.get("/static/<file>")
    @declares(
        Operation(
            id="asset",
            tag=PAGES,
            summary="Files of the documentation",
            verb=None,
            returns=(Returns("The file."),),
            raises=(NO_FILE,),
            path={"file": Annotated[str, says("The name of the file.", "page.css")]},
            conditional="file",
        )
    )
    async def static_file(file: str) -> Response:
        """A style sheet or icon of our own pages."""
        asset = views.ASSETS.get(file)
        if asset is None:
            abort(404)
        # Our pages link to it with the hash of its content, so that it can be cached forever.
        immutable = request.args.get("v") == asset.tag
        return send(asset, IMMUTABLE if immutable else REVALIDATE)

    return blueprint


def send(asset: views.Asset, caching: str, *, vary: str | None = None, coding: str | None = None) -> Response:
    """The response to the current request, with a file in memory; `vary` and `coding` are as in `Representation`.

    Raises `PreconditionFailed` and `RangeNotSatisfiable`.
    """
    result = DirectRequest.of(cast("HTTPScope", request.scope), exchange()).respond(
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
    return StreamedResponse(DirectResponse.in_memory(result))
