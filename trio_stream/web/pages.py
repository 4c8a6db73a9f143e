"""The page for people, health for machines, and the description of the API."""

from typing import Any

from quart import Blueprint, Response, jsonify, render_template, request

from trio_stream import __version__
from trio_stream.web.exchange import services
from trio_stream.web.problems import problem
from trio_stream.web.videos import item

blueprint = Blueprint("pages", __name__)


@blueprint.get("/")
async def home() -> Response:
    """A page with all videos for browsers; health for others."""
    # Chosen by what the client says it takes (RFC 9110 section 12.5.1): browsers name text/html, others take anything.
    if request.accept_mimetypes.best_match(["application/json", "text/html"]) != "text/html":
        return jsonify(health())
    videos = [item(video) for video in await services().catalog.videos()]
    page = await render_template("home.html", videos=videos, folder=services().settings.videos)
    return Response(page, content_type="text/html; charset=utf-8")


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
        return problem(503, "not-ready", f"these background services have died: {names}")
    return {"status": "ok"}
