"""What the server's own pages show: from the description of the API to HTML, in plain functions.

They know nothing of requests. The page with the videos is the player's (`player.py`).
"""

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from trio_stream.web.api.wire.operations import EXAMPLE

HERE = Path(__file__).parent

_CODE = re.compile(r"`([^`]+)`")


@dataclass(frozen=True, slots=True)
class Asset:
    """A file in memory; `tag` changes when its content does, `modified` is as in `Validators`."""

    content: bytes
    content_type: str
    tag: str
    modified: int | None = None


def docs_page(document: dict[str, Any]) -> str:
    """The description of the API for people."""
    return _TEMPLATES.get_template("docs.html").render(api=document, tags=_by_tag(document))


def unbuilt_page() -> str:
    """What stands in the place of a player that is not there."""
    return _TEMPLATES.get_template("unbuilt.html").render()


def _by_tag(document: dict[str, Any]) -> list[dict[str, Any]]:
    """The operations and WebSockets of a description under its tags, in the order they are described in."""
    tags = {tag["name"]: {**tag, "operations": []} for tag in document["tags"]}
    for path, about in document["paths"].items():
        for method in ("get", "head", "post", "put", "patch", "delete"):
            if method in about:
                operation = about[method]
                tags[operation["tags"][0]]["operations"].append(
                    {"description": ""}
                    | operation
                    | {"method": method.upper(), "path": path, "id": operation["operationId"]}
                    | {"parameters": about.get("parameters", []) + operation.get("parameters", [])}
                )
        if socket := about.get("x-websocket"):
            tags[socket["tag"]]["operations"].append(
                about | {"method": "WS", "path": path, "id": "websocket", "socket": socket}
            )
    return list(tags.values())


def _prose(text: str) -> Markup:
    """Paragraphs and `code`, which is as much CommonMark as our descriptions use."""
    marked = _CODE.sub(r"<code>\1</code>", str(escape(text)))
    return Markup("".join(f"<p>{paragraph}</p>" for paragraph in marked.split("\n\n") if paragraph))  # noqa: S704 - escaped


def _inline(text: str) -> Markup:
    return Markup(_CODE.sub(r"<code>\1</code>", str(escape(text))))  # noqa: S704 - escaped


def _type_of(schema: dict[str, Any]) -> Markup:
    """A schema in a few words, with links to those that have a name."""
    match schema:
        case {"$ref": str(target)}:
            words = Markup('<a href="#schema-{0}">{0}</a>').format(target.rpartition("/")[2])
        case {"const": value}:
            words = _literal(value)
        case {"enum": values}:
            words = Markup(" or ").join(map(_literal, values))
        case {"anyOf": options}:
            words = Markup(" or ").join(map(_type_of, options))
        case {"type": [str(kind), "null"]}:
            words = Markup("{} or null").format(_type_of(schema | {"type": kind}))
        case {"type": "array", "items": items}:
            words = Markup("list of {}").format(_type_of(items))
        case {"type": str(kind), "format": str(form)}:
            words = Markup("{} ({})").format(kind, form)
        case _:
            words = escape(schema.get("type", "anything"))
    return words


def _literal(value: object) -> Markup:
    return Markup("<code>{}</code>").format(json.dumps(value))


def asset_of(name: str, content: bytes, modified: int | None = None) -> Asset:
    """What a file of that name holds; its suffix says what it is."""
    kind = _ASSET_TYPES.get(Path(name).suffix, "application/octet-stream")
    return Asset(content, kind, hashlib.blake2b(content, digest_size=8).hexdigest(), modified)


def read_asset(path: Path, name: str) -> Asset:
    """The file at `path`, as one called `name`. Raises `OSError`."""
    return asset_of(name, path.read_bytes(), int(path.stat().st_mtime))


def _asset_url(name: str) -> str:
    return f"/static/{name}?v={ASSETS[name].tag}"


# Ours, because the machine's mime.types may call a script what no browser runs under `nosniff`.
_ASSET_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/vnd.microsoft.icon",
    ".jpg": "image/jpeg",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
}

ASSETS = {path.name: read_asset(path, path.name) for path in (HERE / "static").iterdir()}

_TEMPLATES = Environment(
    loader=FileSystemLoader(HERE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.globals["asset"] = _asset_url
_TEMPLATES.globals["example"] = EXAMPLE
_TEMPLATES.filters |= {"prose": _prose, "inline": _inline, "type_of": _type_of}
