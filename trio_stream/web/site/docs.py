"""Health for machines, and the description of the API, for people and for programs."""

import json
from functools import cache
from typing import Any, cast

from hypercorn.typing import HTTPScope
from quart import Blueprint, Response, abort, request

from trio_stream import __version__
from trio_stream.http.preconditions import Validators
from trio_stream.http.representation import ASK_FIRST, FOR_EVER, Representation
from trio_stream.web.asgi.direct import DirectRequest, DirectResponse, StreamedResponse
from trio_stream.web.asgi.exchange import exchange, services
from trio_stream.web.asgi.problems import problem, response
from trio_stream.web.openapi import document
from trio_stream.web.site import views

blueprint = Blueprint("pages", __name__)

HTML = "text/html; charset=utf-8"

POLICY = "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'"
"""Nothing from elsewhere, and nothing that was slipped into a page: not even by a file with a clever name."""


@blueprint.after_request
async def protect(response: Response) -> Response:
    """Say what browsers may make of what comes from here."""
    return protected(response, POLICY)


def protected(response: Response, policy: str) -> Response:
    """The response with `policy` and what all pages have besides."""
    response.headers["Content-Security-Policy"] = policy
    response.headers["X-Content-Type-Options"] = "nosniff"
    # Not `no-referrer`, which may turn the origin of our own pages into `null`; and that one we refuse.
    response.headers["Referrer-Policy"] = "same-origin"
    return response


def health() -> dict[str, Any]:
    """What machines ask a server for first."""
    return {"name": "Trio Stream", "version": __version__, "status": "ok"}


@blueprint.get("/healthz")
async def healthz() -> dict[str, Any]:
    """The server answers."""
    return health()


@blueprint.get("/readyz")
async def readyz() -> Response | dict[str, Any]:
    """The server and all its background services work, and the folder of videos can be read."""
    dead = services().health.dead
    if dead:
        names = ", ".join(sorted(dead))
        why = f"these background services have died and will begin again: {names}"
        return response(problem(503, "not-ready", why))
    await services().catalog.check()
    return {"status": "ok"}


@blueprint.get("/openapi.json")
async def description() -> Response:
    """The description of the API, for programs."""
    return sent(_description(), ASK_FIRST)


@blueprint.get("/docs")
async def docs() -> Response:
    """The same for people."""
    return sent(_docs(), ASK_FIRST)


@blueprint.get("/static/<file>")
async def asset(file: str) -> Response:
    """A style or picture of our own pages."""
    found = views.ASSETS.get(file)
    if found is None:
        abort(404)
    # Our pages ask with the tag of the content, so that what they got never needs to be asked for again.
    lasting = request.args.get("v") == found.tag
    return sent(found, FOR_EVER if lasting else ASK_FIRST)


@cache
def _description() -> views.Asset:
    return views.asset_of("openapi.json", json.dumps(document.document()).encode())


@cache
def _docs() -> views.Asset:
    return views.asset_of("docs.html", views.docs_page(document.document()).encode())


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
