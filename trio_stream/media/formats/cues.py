"""Subtitle cues, and writing them as a WebVTT file, which is valid for any text (pure).

Invariant: the output of `webvtt` parses (W3C WebVTT, https://www.w3.org/TR/webvtt1/). Cues are sorted by start, end
after they start, and have no blank line and no `-->` in their text. All tags are valid and closed in order. Every step
takes time proportional to the length of the text, whatever is in it.
"""

import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from trio_stream.media.formats.trickplay import timestamp

MAX_TEXT_LENGTH = 8_000
"""Characters of one cue; no viewer can read more."""

STYLES = frozenset("ibu")
"""Tags that may overlap."""

MAX_START = 100 * 3600 * 1000
"""Milliseconds; later cues are dropped."""


@dataclass(frozen=True, slots=True, order=True)
class Cue:
    """Text shown from `start` to `stop` (milliseconds); `text` is WebVTT cue text, built by `CueText`.

    `settings` are WebVTT cue settings (section 4.4), or empty.
    """

    start: int
    stop: int
    text: str
    settings: str = ""


def webvtt(cues: Iterable[Cue], preface: Iterable[str] = ()) -> Iterator[str]:
    """Yield the file in parts. `preface` are blocks before the cues (STYLE, REGION), which must be valid already."""
    yield "WEBVTT\n"
    for block in preface:
        yield f"\n{block}\n"
    for cue in sorted(
        cue for cue in cues if cue.text and 0 <= cue.start < cue.stop and cue.start < MAX_START
    ):
        settings = f" {cue.settings}" if cue.settings else ""
        start, stop = timestamp(cue.start / 1000), timestamp(min(cue.stop, MAX_START) / 1000)
        yield f"\n{start} --> {stop}{settings}\n{cue.text}\n"


def merge_repeated(cues: Iterable[Cue]) -> list[Cue]:
    """Merge cues with the same text that overlap or touch.

    ASS draws outlines and movement as many events of the same text.
    """
    result: list[Cue] = []
    current: dict[tuple[str, str], int] = {}
    for cue in sorted(cues):
        at = current.get((cue.text, cue.settings))
        if at is not None and cue.start <= result[at].stop:
            result[at] = replace(result[at], stop=max(result[at].stop, cue.stop))
        else:
            current[cue.text, cue.settings] = len(result)
            result.append(cue)
    return result


def with_missing_ends(cues: list[Cue], longest: int = 5_000) -> list[Cue]:
    """End cues without an end (stop at or before start) at the next cue, at most `longest` milliseconds later."""
    ordered = sorted(cues)
    starts = sorted({cue.start for cue in cues})
    following = dict(itertools.pairwise(starts))
    return [
        cue
        if cue.stop > cue.start
        else replace(cue, stop=min(following.get(cue.start, MAX_START), cue.start + longest))
        for cue in ordered
    ]


# Control characters, noncharacters, surrogates and the byte order mark; line ends and tabs are text.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufeff\ufffe\uffff\ud800-\udfff]")
# CR CR LF is the result of converting LF to CR LF twice.
_LINE_END = re.compile(r"\r{1,3}\n|\r|\u2028|\u2029")


INVISIBLE = re.compile(r"[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]")
"""Invisible characters: direction marks, joiners, zero-width spaces, soft hyphens."""


def is_blank(text: str) -> bool:
    """Whether the text has no visible character."""
    return not text.strip() or (not text.isascii() and not INVISIBLE.sub("", text).strip())


def clean(text: str) -> str:
    """Remove control characters and convert all line ends to LF."""
    return _CONTROL.sub("", _LINE_END.sub("\n", text))


class CueText:
    """Builds the text of one cue: escapes plain text, balances tags and leaves out blank lines."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._open: list[str] = []
        self._length = 0

    def add(self, plain: str) -> None:
        """Add plain text (WebVTT section 3.1: `&`, `<` and `>` are escaped)."""
        plain = plain[: max(0, MAX_TEXT_LENGTH - self._length)]
        if not plain:
            return
        self._length += len(plain)
        self._parts.append(plain.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"))

    def open(self, name: str, attributes: str = "") -> None:
        """Open a tag; `attributes` are its classes and annotation, already in WebVTT syntax."""
        if len(self._open) < 8:
            self._open.append(name)
            self._parts.append(f"<{name}{attributes}>")

    def close(self, name: str) -> None:
        """Close a tag, if it is open, with all tags opened inside it; the plain styles among them are opened again."""
        if name not in self._open:
            return
        inner = []
        while (last := self._open.pop()) != name:
            self._end(last)
            inner.append(last)
        self._end(name)
        for style in reversed(inner):
            if style in STYLES:
                self.open(style)

    def _end(self, name: str) -> None:
        if self._parts[-1] == f"<{name}>":
            self._parts.pop()  # the tag is empty
        else:
            self._parts.append(f"</{name}>")

    def mark(self, tag: str) -> None:
        """Add a tag without an end tag: a timestamp."""
        self._parts.append(tag)

    def is_open(self, name: str) -> bool:
        """Whether a tag is open."""
        return name in self._open

    def finish(self) -> str:
        """Close all tags and return the cue text; empty if it has no visible text."""
        while self._open:
            self._end(self._open.pop())
        text = clean("".join(self._parts))
        if is_blank(_EMPTY_TAGS.sub("", text).replace("&nbsp;", "")):
            return ""
        return "\n".join(line.rstrip() for line in text.split("\n") if not is_blank(line))


_EMPTY_TAGS = re.compile(r"<[^<>]*>")
