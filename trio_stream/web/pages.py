"""The pages for people, health for machines, and the description of the API."""

import json
import re
from functools import cache
from typing import Any

import structlog
import trio
from quart import Blueprint, Response, abort, jsonify, request

from trio_stream import __version__
from trio_stream.library.naming import name_from_url
from trio_stream.web import openapi, views
from trio_stream.web.exchange import services
from trio_stream.web.problems import problem, response

blueprint = Blueprint("pages", __name__)

log = structlog.get_logger("trio_stream.web")

HTML = "text/html; charset=utf-8"

POLICY = "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'"
"""Nothing from elsewhere, and nothing that was slipped into a page: not even by a file with a clever name."""

_WANTED = re.compile(rb"(?:^|&)v=([^&]*)")


@blueprint.after_request
async def protect(response: Response) -> Response:
    """Say what browsers may make of what comes from here."""
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    # Not `no-referrer`, which may turn the origin of our own pages into `null`; and that one we refuse.
    response.headers["Referrer-Policy"] = "same-origin"
    return response


@blueprint.get("/")
async def home() -> Response:
    """A page with all videos for browsers; health for others."""
    # Chosen by what the client says it takes (RFC 9110 section 12.5.1): browsers name text/html, others take
    # anything.
    if request.accept_mimetypes.best_match(["application/json", "text/html"]) == "text/html":
        response = await _library()
    else:
        response = jsonify(health())
    response.headers["Vary"] = "Accept"
    response.headers["Cache-Control"] = "no-cache"
    return response


async def _library() -> Response:
    folder = str(services().settings.videos)
    found = _WANTED.search(request.query_string)
    wanted = name_from_url(found[1].replace(b"+", b" ")) if found else None
    try:
        videos, trouble = await services().catalog.videos(), ""
    except OSError as error:
        about = {"folder": views.shown(folder), "reason": error.strerror}
        log.error("the folder of videos cannot be read", **about)
        videos, trouble = [], error.strerror or "an error of the disk"
    # In a thread: to write out thousands of names takes long enough for a stream to notice.
    page = await trio.to_thread.run_sync(views.library_page, videos, wanted, folder, trouble)
    return Response(page, status=500 if trouble else 200, content_type=HTML)


def health() -> dict[str, Any]:
    """What machines ask a server for first."""
    return {"name": "Trio Stream", "version": __version__, "status": "ok"}


@blueprint.get("/healthz")
async def healthz() -> dict[str, Any]:
    """The server answers."""
    return health()


@blueprint.get("/readyz")
async def readyz() -> Response | dict[str, Any]:
    """The server and all its background services work."""
    dead = services().health.dead
    if dead:
        names = ", ".join(sorted(dead))
        return response(problem(503, "not-ready", f"these background services have died: {names}"))
    return {"status": "ok"}


@blueprint.get("/openapi.json")
async def description() -> Response:
    """The description of the API, for programs."""
    return _unless_known(_description(), "application/json", "no-cache")


@blueprint.get("/docs")
async def docs() -> Response:
    """The same for people."""
    return _unless_known(_docs(), HTML, "no-cache")


@blueprint.get("/static/<file>")
async def asset(file: str) -> Response:
    """A style, script or picture of the pages."""
    found = views.ASSETS.get(file)
    if found is None:
        abort(404)
    # Our pages ask with the tag of the content, so that what they got never needs to be asked for again.
    lasting = request.args.get("v") == found.tag
    return _unless_known(
        found.content, found.content_type, "public, max-age=31536000, immutable" if lasting else "no-cache"
    )


@cache
def _description() -> bytes:
    return json.dumps(openapi.document()).encode()


@cache
def _docs() -> bytes:
    return views.docs_page(openapi.document()).encode()


def _unless_known(content: bytes, content_type: str, caching: str) -> Response:
    """The content, or 304 to a client that has it already."""
    tag = views.content_tag(content)
    if request.if_none_match.contains_weak(tag):
        response = Response(b"", status=304)
        del response.headers["Content-Type"]
    else:
        response = Response(content, content_type=content_type)
    response.set_etag(tag)
    response.headers["Cache-Control"] = caching
    return response
