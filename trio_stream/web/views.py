"""What the pages show: from videos and from the description of the API to HTML, in plain functions.

They know nothing of requests, and may take a while for many thousand videos: call them in a thread.
"""

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from trio_stream.library.catalog import Video
from trio_stream.library.naming import natural_key
from trio_stream.web import shapes
from trio_stream.web.openapi_parts import EXAMPLE

HERE = Path(__file__).parent

_SURROGATE = re.compile("[\ud800-\udfff]")
_CODE = re.compile(r"`([^`]+)`")


@dataclass(frozen=True, slots=True)
class Asset:
    """A file the pages need, in memory; `tag` changes when it does."""

    content: bytes
    content_type: str
    tag: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A video in the list. `key` is its name as links spell it; all of it can be shown."""

    title: str
    kind: str
    key: str
    stream: str
    download: str
    size: str
    modified: str
    date: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder with its videos; the library itself has no name."""

    name: str
    entries: list[Entry]


def library_page(videos: Sequence[Video], wanted: str | None, folder: str, trouble: str = "") -> str:
    """The page with all videos, ready to play `wanted`, or the first one. `trouble` is why there are none."""
    groups = _grouped(videos)
    chosen = wanted if any(video.name == wanted for video in videos) else None
    if wanted is None and groups:
        chosen = groups[0][1][0].name
    folders = [Folder(shown(name), [_entry(video, chosen) for video in group]) for name, group in groups]
    entries = [entry for each in folders for entry in each.entries]
    return _TEMPLATES.get_template("home.html").render(
        folders=folders,
        count=len(entries),
        current=next((entry for entry in entries if entry.chosen), None),
        missing=shown(wanted) if wanted is not None and chosen is None else None,
        folder=shown(folder),
        trouble=trouble,
    )


def docs_page(document: dict[str, Any]) -> str:
    """The description of the API for people."""
    return _TEMPLATES.get_template("docs.html").render(api=document, tags=_by_tag(document))


def shown(text: str) -> str:
    """Text that has a UTF-8 form: a byte of a name that is none becomes U+FFFD."""
    return _SURROGATE.sub("\ufffd", text)


def _grouped(videos: Sequence[Video]) -> list[tuple[str, list[Video]]]:
    """The videos by folder: the library itself, then its folders as people sort them."""
    groups: dict[str, list[Video]] = {}
    for video in videos:
        groups.setdefault(video.name.rpartition("/")[0], []).append(video)
    return sorted(groups.items(), key=lambda group: (group[0] != "", natural_key(group[0])))


def _entry(video: Video, chosen: str | None) -> Entry:
    about = shapes.file(video.name, video.size, video.mtime_ns)
    title, _, suffix = video.name.rpartition("/")[2].rpartition(".")
    moment = datetime.fromisoformat(about["modified"])
    return Entry(
        title=shown(title),
        kind=suffix.upper(),
        # What `encodeURIComponent` leaves alone, and slashes: the script compares it with the address bar.
        key=quote(video.name.encode("utf-8", "surrogateescape"), safe="/!*'()"),
        stream=about["urls"]["stream"],
        download=about["urls"]["download"],
        size=_size(video.size),
        modified=about["modified"],
        date=f"{moment.day} {moment:%b} {moment.year}",
        chosen=video.name == chosen,
    )


def _size(size: float) -> str:
    """Bytes for people, in the decimal units the metrics have too."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 999.5:
            return f"{size:.0f} {unit}" if unit in ("bytes", "kB") or size >= 99.5 else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.2f} TB"


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


def _load_assets() -> dict[str, Asset]:
    assets = {}
    for path in sorted((HERE / "static").iterdir()):
        content = path.read_bytes()
        kind = _ASSET_TYPES.get(path.suffix)
        if kind is not None:
            assets[path.name] = Asset(content, kind, content_tag(content))
    return assets


def content_tag(content: bytes) -> str:
    """A short word that changes with the content."""
    return hashlib.blake2b(content, digest_size=8).hexdigest()


def _asset_url(name: str) -> str:
    return f"/static/{name}?v={ASSETS[name].tag}"


# Ours, because the machine's mime.types may call a script what no browser runs under `nosniff`.
_ASSET_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}

ASSETS = _load_assets()

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
