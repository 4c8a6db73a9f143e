"""Convert the text of SRT and WebVTT cues to WebVTT cue text, and parse ASS overrides (pure).

Invariant: text that is not a tag is shown as it was written; a tag is dropped if WebVTT has no equivalent. Time is
proportional to the length of the text, of which at most `MAX_MARKUP` characters are read.
"""

import re
from collections.abc import Iterator

from trio_stream.media.formats.cues import CueText, clean

MAX_MARKUP = 32_000
"""Characters of one cue, with its tags."""

_ENTITY = re.compile(r"&(?:#([0-9]{1,7})|#[xX]([0-9a-fA-F]{1,6})|(amp|lt|gt|quot|apos|nbsp|lrm|rlm));")
_CHARACTERS = {
    "amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'",
    "nbsp": "\xa0", "lrm": "\u200e", "rlm": "\u200f",
}  # fmt: skip


def unescape(text: str) -> str:
    """Replace character references: only common ones, and only with their semicolon."""
    return _ENTITY.sub(_character, text) if "&" in text else text


def _character(match: re.Match[str]) -> str:
    decimal, hexadecimal, name = match.groups()
    if name:
        return _CHARACTERS[name]
    number = int(decimal) if decimal else int(hexadecimal, 16)
    return chr(number) if 0x20 <= number <= 0x10FFFF and not 0xD800 <= number <= 0xDFFF else ""


# A tag of at most 300 characters, or an override of ASS or MicroDVD; everything between is text. No two alternatives
# begin in the same way and each is limited, so matching takes time proportional to the text.
_HTML = r"<(/?)([a-zA-Z]{1,10}|[0-9:.]{1,20})?([^<>]{0,280})>"
_TAG = re.compile(_HTML)
_TAG_OR_OVERRIDE = re.compile(_HTML + r"|\{(\\[^{}]{0,2000}|[a-zA-Z]:[^{}]{0,60})\}")

_EQUIVALENTS = {"i": "i", "em": "i", "b": "b", "strong": "b", "u": "u"}
_DROPPED = frozenset({
    "a", "big", "body", "c", "center", "color", "del", "div", "font", "html", "lang", "p", "rp", "rt", "ruby", "s",
    "size", "small", "span", "strike", "sub", "sup", "tt", "v",
})  # fmt: skip


def from_srt(text: str) -> tuple[str, str]:
    """Return the cue text and settings for text of an SRT file: some HTML, and sometimes an ASS override.

    `<i>`, `<b>`, `<u>` stay; `<font>` and other tags without an equivalent are dropped; anything that is not a tag is
    text.
    """
    cue_text = CueText()
    alignment: int | None = None
    at = 0
    text = text[:MAX_MARKUP]
    for match in _TAG_OR_OVERRIDE.finditer(text):
        cue_text.add(unescape(text[at : match.start()]))
        at = match.end()
        slash, name, _, override = match.groups()
        if override is not None:
            alignment = _override(cue_text, override, alignment)
            continue
        name = (name or "").lower()
        if name in _EQUIVALENTS:
            (cue_text.close if slash else cue_text.open)(_EQUIVALENTS[name])
        elif name == "br":
            cue_text.add("\n")
        elif name not in _DROPPED:
            cue_text.add(unescape(match.group()))
    cue_text.add(unescape(text[at:]))
    return cue_text.finish(), settings_of(alignment)


def _override(cue_text: CueText, block: str, alignment: int | None) -> int | None:
    for tag, value in overrides(block):
        if tag == "an" and value in ALIGNMENTS:
            alignment = int(value)
        elif tag in {"i", "b", "u"}:
            (cue_text.close if value in {"", "0"} else cue_text.open)(tag)
    return alignment


# Exactly these overrides, not others that begin with the same letters (`\bord`, `\iclip`, `\pbo`...).
_OVERRIDE = re.compile(
    r"\\(?:(an|[abiup])[ \t]?([0-9]{0,4})[ \t]?(?=\\|\Z)"
    r"|(?:pos|move)\(([^()\\]{0,100})\)"
    r"|r([^\\()]{0,100}))",
    re.ASCII,
)
_ANIMATION = re.compile(r"\\t\([^()]*(?:\([^()]*\)[^()]*)*\)?")
ALIGNMENTS = frozenset("123456789")
"""Positions as on a numeric keypad: 2 is at the bottom in the middle."""


def overrides(block: str) -> Iterator[tuple[str, str]]:
    r"""Yield the supported tags of an ASS block `{...}`, each with its value: an, a, b, i, u, p, pos, r.

    Tags inside an animation (`\t`) are ignored; a movement (`\move`) counts as its first position.
    """
    if "\\t" in block:
        block = _ANIMATION.sub("", block)
    for match in _OVERRIDE.finditer(block):
        tag, value, position, style = match.groups()
        yield (tag, value) if tag else ("pos", position) if position is not None else ("r", style.strip())


def settings_of(alignment: int | None) -> str:
    r"""Return WebVTT settings for a position on the keypad (ASS `\an`); the bottom in the middle needs none."""
    if alignment is None or not 1 <= alignment <= 9:
        return ""
    parts = []
    if alignment >= 4:
        parts.append("line:0" if alignment >= 7 else "line:50%")
    if alignment % 3 == 1:
        parts.append("position:5% align:left")
    elif alignment % 3 == 0:
        parts.append("position:95% align:right")
    return " ".join(parts)


# WebVTT section 4.2.2: cue text tags. Classes are joined with dots, annotations follow a space.
_CLASSES = re.compile(r"(?:\.[\w-]{1,60}){0,8}")
_TIMESTAMP = re.compile(r"(?:[0-9]{2,3}:)?[0-5][0-9]:[0-5][0-9]\.[0-9]{3}")
_VTT_TAGS = frozenset({"c", "i", "b", "u", "ruby", "rt", "v", "lang"})


def from_vtt(text: str) -> str:
    """Return the cue text for text of a WebVTT file; everything that is not valid WebVTT is text."""
    cue_text = CueText()
    at = 0
    text = text[:MAX_MARKUP]
    for match in _TAG.finditer(text):
        cue_text.add(unescape(text[at : match.start()]))
        at = match.end()
        slash, name, rest = match[1], match[2] or "", match[3]
        if name in _VTT_TAGS and slash:
            cue_text.close(name)
        elif name in _VTT_TAGS:
            classes = _CLASSES.match(rest)
            length = classes.end() if classes else 0
            if length == len(rest) or rest[length] in " \t\n":
                cue_text.open(name, rest[:length] + _annotation(name, rest[length:]))
        elif _TIMESTAMP.fullmatch(name + rest) and not slash:
            cue_text.mark(match.group())
        elif not name.isalpha() and not slash:
            cue_text.add(unescape(match.group()))  # unknown tags are dropped, but this is not a tag
    cue_text.add(unescape(text[at:]))
    return cue_text.finish()


def _annotation(name: str, rest: str) -> str:
    words = " ".join(clean(unescape(rest)).split())
    if name not in {"v", "lang"} or not words:
        return ""
    return " " + words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
