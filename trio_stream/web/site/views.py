"""Renders the server's own pages: plain functions from the OpenAPI description to HTML, without a request.

The pages with videos are the player's (`player.py`).
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
from trio_stream.web.site import docs_pt_br
from trio_stream.web.site.i18n import ENGLISH, LANGUAGES, MESSAGES, PORTUGUESE

HERE = Path(__file__).parent

_CODE = re.compile(r"`([^`]+)`")
_LINK = re.compile(r"\[([^]]+)\]")


@dataclass(frozen=True, slots=True)
class Asset:
    """A file in memory; `tag` is a hash of its content, `modified` is as in `Validators`."""

    content: bytes
    content_type: str
    tag: str
    modified: int | None = None


def docs_page(document: dict[str, Any], language: str) -> str:
    """The API reference, from the OpenAPI description."""
    tags = _by_tag(document)
    if language == PORTUGUESE:
        document, tags = _in_portuguese(document, tags)
    return _render("docs.html", language, api=document, tags=tags)


def unbuilt_page(language: str) -> str:
    """The page shown while the player is not built."""
    return _render("unbuilt.html", language)


def not_open_page(language: str) -> str:
    """The page for other machines, while the server serves only its own."""
    return _render("not_open.html", language)


def _render(template: str, language: str, **values: Any) -> str:
    # Text without a translation is marked as English, for screen readers.
    english = Markup("") if language == ENGLISH else Markup(' lang="en"')
    return _TEMPLATES.get_template(template).render(
        language=language, languages=LANGUAGES, t=MESSAGES[language], english=english, **values
    )


def _in_portuguese(
    document: dict[str, Any], tags: list[dict[str, Any]]
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The description and its tags, with everything that `docs_pt_br` translates."""

    def operation(english: dict[str, Any]) -> dict[str, Any]:
        text = docs_pt_br.HEAD_ONLY if english["method"] == "HEAD" else docs_pt_br.OPERATIONS[english["id"]]
        return english | text._asdict()

    def tag(english: dict[str, Any]) -> dict[str, Any]:
        name, description = docs_pt_br.TAGS[english["name"]]
        operations = [operation(item) for item in english["operations"]]
        return english | {"name": name, "description": description, "operations": operations}

    def problem(english: dict[str, Any]) -> dict[str, Any]:
        meaning, remedy = docs_pt_br.PROBLEMS[english["code"]]
        return english | {"meaning": meaning, "remedy": remedy}

    translated = document | {
        "info": document["info"] | {"description": docs_pt_br.INTRODUCTION},
        "x-problems": [problem(item) for item in document["x-problems"]],
    }
    return translated, [tag(item) for item in tags]


def _by_tag(document: dict[str, Any]) -> list[dict[str, Any]]:
    """The operations and WebSockets of a description by tag, in the order of the description."""
    tags = {tag["name"]: {**tag, "operations": []} for tag in document["tags"]}
    for path, item in document["paths"].items():
        for method in ("get", "head", "post", "put", "patch", "delete"):
            if method in item:
                operation = item[method]
                tags[operation["tags"][0]]["operations"].append(
                    {"description": ""}
                    | operation
                    | {"method": method.upper(), "path": path, "id": operation["operationId"]}
                    | {"parameters": item.get("parameters", []) + operation.get("parameters", [])}
                )
        if socket := item.get("x-websocket"):
            tags[socket["tag"]]["operations"].append(
                item | {"method": "WS", "path": path, "id": "websocket", "socket": socket}
            )
    return list(tags.values())


def _prose(text: str) -> Markup:
    """Render paragraphs and `code`, the only CommonMark in our descriptions."""
    marked = _CODE.sub(r"<code>\1</code>", str(escape(text)))
    return Markup("".join(f"<p>{paragraph}</p>" for paragraph in marked.split("\n\n") if paragraph))  # noqa: S704 - escaped


def _inline(text: str) -> Markup:
    return Markup(_CODE.sub(r"<code>\1</code>", str(escape(text))))  # noqa: S704 - escaped


def _link(text: str, href: str) -> Markup:
    """Render a text in which a part in brackets is a link to `href`."""
    return Markup(_LINK.sub(rf'<a href="{href}">\1</a>', str(escape(text))))  # noqa: S704 - escaped


def _type_of(schema: dict[str, Any], language: str) -> Markup:
    """The type of a schema in a few words, with links to named schemas."""
    t = MESSAGES[language]
    either = Markup(" {} ").format(t["or"])
    match schema:
        case {"$ref": str(target)}:
            words = Markup('<a href="#schema-{0}">{0}</a>').format(target.rpartition("/")[2])
        case {"const": value}:
            words = _literal(value)
        case {"enum": values}:
            words = either.join(map(_literal, values))
        case {"anyOf": options}:
            words = either.join(_type_of(option, language) for option in options)
        case {"type": [str(kind), "null"]}:
            words = either.join((_type_of(schema | {"type": kind}, language), t["null"]))
        case {"type": "array", "items": items}:
            words = Markup(t["list"]).format(items=_type_of(items, language))  # noqa: S704 - our own text
        case {"type": str(kind), "format": str(form)}:
            words = Markup("{} ({})").format(kind, form)
        case _:
            words = escape(schema.get("type", t["anything"]))
    return words


def _literal(value: object) -> Markup:
    return Markup("<code>{}</code>").format(json.dumps(value))


def asset_of(name: str, content: bytes, modified: int | None = None) -> Asset:
    """An asset with this content; the suffix of `name` determines its media type."""
    kind = _ASSET_TYPES.get(Path(name).suffix, "application/octet-stream")
    return Asset(content, kind, hashlib.blake2b(content, digest_size=8).hexdigest(), modified)


def read_asset(path: Path, name: str) -> Asset:
    """Read the file at `path` as an asset called `name`. Raises `OSError`."""
    return asset_of(name, path.read_bytes(), int(path.stat().st_mtime))


def _asset_url(name: str) -> str:
    return f"/static/{name}?v={ASSETS[name].tag}"


# Not from the system's mime.types, which may give scripts a type that browsers do not run under `nosniff`.
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
_TEMPLATES.filters |= {"prose": _prose, "inline": _inline, "type_of": _type_of, "link": _link}
