"""Subtitle cues, and a WebVTT file of them that nothing in their text can break (pure).

Invariant: what `webvtt` writes parses (W3C WebVTT, https://www.w3.org/TR/webvtt1/): cues ascend by start, end after
they start, have no blank line and no `-->` in their text, and tags are known ones that are closed again in order.
Every step takes time in proportion to the text, whatever is in it.
"""

import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from trio_stream.media.formats.trickplay import timestamp

LONGEST_TEXT = 8_000
"""Characters of one cue; more is nothing anybody reads."""

STYLES = frozenset("ibu")
"""Tags that may overlap as one likes."""

LATEST = 100 * 3600 * 1000
"""Milliseconds; cues after that belong to no video."""


@dataclass(frozen=True, slots=True, order=True)
class Cue:
    """Text shown from `start` to `stop` (milliseconds); `text` is WebVTT cue text as `CueText` makes it.

    `settings` are WebVTT cue settings (section 4.4), or empty.
    """

    start: int
    stop: int
    text: str
    settings: str = ""


def webvtt(cues: Iterable[Cue], preface: Iterable[str] = ()) -> Iterator[str]:
    """The file, piece by piece. `preface` are blocks before the cues (STYLE, REGION) that are known to be safe."""
    yield "WEBVTT\n"
    for block in preface:
        yield f"\n{block}\n"
    for cue in sorted(cue for cue in cues if cue.text and 0 <= cue.start < cue.stop and cue.start < LATEST):
        settings = f" {cue.settings}" if cue.settings else ""
        start, stop = timestamp(cue.start / 1000), timestamp(min(cue.stop, LATEST) / 1000)
        yield f"\n{start} --> {stop}{settings}\n{cue.text}\n"


def joined(cues: Iterable[Cue]) -> list[Cue]:
    """Without repetition: the same text at the same time once, and as one cue where it goes on in the next.

    ASS draws outlines and movement as many events of the same text.
    """
    result: list[Cue] = []
    going: dict[tuple[str, str], int] = {}
    for cue in sorted(cues):
        at = going.get((cue.text, cue.settings))
        if at is not None and cue.start <= result[at].stop:
            result[at] = replace(result[at], stop=max(result[at].stop, cue.stop))
        else:
            going[cue.text, cue.settings] = len(result)
            result.append(cue)
    return result


def unfinished(cues: list[Cue], most: int = 5_000) -> list[Cue]:
    """Cues without an end (stop at or before start) get one: the next cue, or `most` milliseconds later."""
    ordered = sorted(cues)
    starts = sorted({cue.start for cue in cues})
    following = dict(itertools.pairwise(starts))
    return [
        cue
        if cue.stop > cue.start
        else replace(cue, stop=min(following.get(cue.start, LATEST), cue.start + most))
        for cue in ordered
    ]


# Control characters, and what is no character at all; line ends and tabs are text.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufeff\ufffe\uffff\ud800-\udfff]")
# CR CR LF is what comes of turning LF into CR LF twice.
_LINE_END = re.compile(r"\r{1,3}\n|\r|\u2028|\u2029")


UNSEEN = re.compile(r"[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]")
"""What nobody sees: marks of direction, joiners, spaces without width, soft hyphens."""


def is_blank(text: str) -> bool:
    """Whether there is nothing to be seen in it."""
    return not text.strip() or (not text.isascii() and not UNSEEN.sub("", text).strip())


def clean(text: str) -> str:
    """Text with nothing but characters, and with one kind of line end."""
    return _CONTROL.sub("", _LINE_END.sub("\n", text))


class CueText:
    """Puts together the text of one cue: plain text is escaped, tags are balanced, blank lines left out."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._open: list[str] = []
        self._length = 0

    def add(self, plain: str) -> None:
        """Add characters that mean themselves (WebVTT section 3.1: `&`, `<` and `>` are escaped)."""
        plain = plain[: max(0, LONGEST_TEXT - self._length)]
        if not plain:
            return
        self._length += len(plain)
        self._parts.append(plain.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"))

    def open(self, name: str, more: str = "") -> None:
        """Open a tag; `more` are classes and an annotation, as they are to be written."""
        if len(self._open) < 8:
            self._open.append(name)
            self._parts.append(f"<{name}{more}>")

    def close(self, name: str) -> None:
        """Close a tag, if it is open; of those opened since, which it ends too, plain styles begin again."""
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
            self._parts.pop()  # there is nothing in it
        else:
            self._parts.append(f"</{name}>")

    def mark(self, tag: str) -> None:
        """Add a tag that has no end: a timestamp."""
        self._parts.append(tag)

    def is_open(self, name: str) -> bool:
        """Whether a tag is open."""
        return name in self._open

    def finish(self) -> str:
        """The cue text; empty when there is nothing to read in it."""
        while self._open:
            self._end(self._open.pop())
        text = clean("".join(self._parts))
        if is_blank(_EMPTY_TAGS.sub("", text).replace("&nbsp;", "")):
            return ""
        return "\n".join(line.rstrip() for line in text.split("\n") if not is_blank(line))


_EMPTY_TAGS = re.compile(r"<[^<>]*>")
