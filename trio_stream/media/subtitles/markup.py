"""The text of SRT and WebVTT cues, made into WebVTT cue text, and what ASS overrides say (pure).

Invariant: what is no tag is text, and is shown as it was written; what is a tag either means something in WebVTT or is
gone. Time is in proportion to the text, of which `LONGEST_MARKUP` characters are looked at.
"""

import re
from collections.abc import Iterator

from trio_stream.media.formats.cues import CueText, clean

LONGEST_MARKUP = 32_000
"""Characters of one cue with its tags."""

_ENTITY = re.compile(r"&(?:#([0-9]{1,7})|#[xX]([0-9a-fA-F]{1,6})|(amp|lt|gt|quot|apos|nbsp|lrm|rlm));")
_NAMED = {
    "amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'",
    "nbsp": "\xa0", "lrm": "\u200e", "rlm": "\u200f",
}  # fmt: skip


def unescape(text: str) -> str:
    """Character references replaced; only those people write, and only with their semicolon."""
    return _ENTITY.sub(_character, text) if "&" in text else text


def _character(found: re.Match[str]) -> str:
    decimal, hexadecimal, name = found.groups()
    if name:
        return _NAMED[name]
    number = int(decimal) if decimal else int(hexadecimal, 16)
    return chr(number) if 0x20 <= number <= 0x10FFFF and not 0xD800 <= number <= 0xDFFF else ""


# A tag of at most 300 characters, or an override of ASS or MicroDVD; everything between is text. No two alternatives
# begin alike and each is bounded, so looking for them takes time in proportion to the text.
_HTML = r"<(/?)([a-zA-Z]{1,10}|[0-9:.]{1,20})?([^<>]{0,280})>"
_TAG = re.compile(_HTML)
_TAG_OR_OVERRIDE = re.compile(_HTML + r"|\{(\\[^{}]{0,2000}|[a-zA-Z]:[^{}]{0,60})\}")

_KEPT = {"i": "i", "em": "i", "b": "b", "strong": "b", "u": "u"}
_DROPPED = frozenset({
    "a", "big", "body", "c", "center", "color", "del", "div", "font", "html", "lang", "p", "rp", "rt", "ruby", "s",
    "size", "small", "span", "strike", "sub", "sup", "tt", "v",
})  # fmt: skip


def from_srt(text: str) -> tuple[str, str]:
    """Cue text and settings of what stands in an SRT file: a little HTML, and now and then an ASS override.

    `<i>`, `<b>`, `<u>` stay, `<font>` and what else has no meaning here goes; what looks like no tag is text.
    """
    made = CueText()
    alignment: int | None = None
    at = 0
    text = text[:LONGEST_MARKUP]
    for found in _TAG_OR_OVERRIDE.finditer(text):
        made.add(unescape(text[at : found.start()]))
        at = found.end()
        slash, name, _, override = found.groups()
        if override is not None:
            alignment = _override(made, override, alignment)
            continue
        name = (name or "").lower()
        if name in _KEPT:
            (made.close if slash else made.open)(_KEPT[name])
        elif name == "br":
            made.add("\n")
        elif name not in _DROPPED:
            made.add(unescape(found.group()))
    made.add(unescape(text[at:]))
    return made.finish(), settings_of(alignment)


def _override(made: CueText, block: str, alignment: int | None) -> int | None:
    for tag, value in overrides(block):
        if tag == "an" and value in ALIGNMENTS:
            alignment = int(value)
        elif tag in {"i", "b", "u"}:
            (made.close if value in {"", "0"} else made.open)(tag)
    return alignment


# Of the many there are (`\bord`, `\iclip`, `\pbo`...) these, whole.
_OVERRIDE = re.compile(
    r"\\(?:(an|[abiup])[ \t]?([0-9]{0,4})[ \t]?(?=\\|\Z)"
    r"|(?:pos|move)\(([^()\\]{0,100})\)"
    r"|r([^\\()]{0,100}))",
    re.ASCII,
)
_ANIMATION = re.compile(r"\\t\([^()]*(?:\([^()]*\)[^()]*)*\)?")
ALIGNMENTS = frozenset("123456789")
"""Places as numeric keypads have them: 2 is below in the middle."""


def overrides(block: str) -> Iterator[tuple[str, str]]:
    r"""The tags of an ASS block `{...}` that mean something here, each with its value: an, a, b, i, u, p, pos, r.

    Those inside an animation (`\t`) do not count; of a movement (`\move`) it is where it begins.
    """
    if "\\t" in block:
        block = _ANIMATION.sub("", block)
    for found in _OVERRIDE.finditer(block):
        tag, value, place, style = found.groups()
        yield (tag, value) if tag else ("pos", place) if place is not None else ("r", style.strip())


def settings_of(alignment: int | None) -> str:
    r"""WebVTT settings for a place as keypads have it (ASS `\an`); below in the middle needs none."""
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
_STAMP = re.compile(r"(?:[0-9]{2,3}:)?[0-5][0-9]:[0-5][0-9]\.[0-9]{3}")
_VTT_TAGS = frozenset({"c", "i", "b", "u", "ruby", "rt", "v", "lang"})


def from_vtt(text: str) -> str:
    """Cue text as it stands in a WebVTT file, with everything in it that is not WebVTT taken for text."""
    made = CueText()
    at = 0
    text = text[:LONGEST_MARKUP]
    for found in _TAG.finditer(text):
        made.add(unescape(text[at : found.start()]))
        at = found.end()
        slash, name, rest = found[1], found[2] or "", found[3]
        if name in _VTT_TAGS and slash:
            made.close(name)
        elif name in _VTT_TAGS:
            classes = _CLASSES.match(rest)
            length = classes.end() if classes else 0
            if length == len(rest) or rest[length] in " \t\n":
                made.open(name, rest[:length] + _annotation(name, rest[length:]))
        elif _STAMP.fullmatch(name + rest) and not slash:
            made.mark(found.group())
        elif not name.isalpha() and not slash:
            made.add(unescape(found.group()))  # a tag of another kind means nothing; this is not even one
    made.add(unescape(text[at:]))
    return made.finish()


def _annotation(name: str, rest: str) -> str:
    words = " ".join(clean(unescape(rest)).split())
    if name not in {"v", "lang"} or not words:
        return ""
    return " " + words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
