"""A file of WebVTT -> its segments: each has the head of the file and the cues that are shown in its time.

A cue that goes on belongs to each segment it is shown in, whole: players take equal cues for one (RFC 8216 section
3.5)."""

import re
from bisect import bisect_right
from dataclasses import dataclass
from sys import getsizeof

# WebVTT section 4.1: hours are optional.
_TIME = r"(?:(\d{2,}):)?([0-5]\d):([0-5]\d)\.(\d{3})"
_TIMING = re.compile(rf"^{_TIME}[ \t]+-->[ \t]+{_TIME}", re.MULTILINE)

MAP = "X-TIMESTAMP-MAP=MPEGTS:0,LOCAL:00:00:00.000"
"""The clocks of the text and of the pictures begin together."""


CUE = 128
"""Bytes of memory that a cue takes beside its text."""


@dataclass(frozen=True, slots=True)
class Cues:
    """A file taken apart: what comes before its cues, and each with its times in seconds, by their beginnings."""

    head: str
    cues: tuple[tuple[float, float, str], ...]

    @property
    def nbytes(self) -> int:
        """Memory it takes, in bytes, within some."""
        return getsizeof(self.head) + sum(CUE + getsizeof(text) for _, _, text in self.cues)

    def segment(self, start: float, end: float) -> str:
        """What is shown from `start` to `end`."""
        before = bisect_right(self.cues, end, key=lambda cue: cue[0])
        shown = [
            text
            for begins, ends, text in self.cues[:before]
            if begins < end and (ends > start or begins >= start)
        ]
        first, line, rest = self.head.partition("\n")
        return "\n\n".join([f"{first}\n{MAP}{line}{rest}", *shown]) + "\n"


def parse(text: str) -> Cues:
    """Take a file apart. What is no cue and comes before the first one is its head."""
    blocks = re.split(r"\n{2,}", text.replace("\r\n", "\n").replace("\r", "\n").strip("\n"))
    head: list[str] = []
    cues: list[tuple[float, float, str]] = []
    for block in blocks:
        timing = _TIMING.search(block)
        if timing is not None:
            parts = timing.groups()
            cues.append((_seconds(parts[:4]), _seconds(parts[4:]), block))
        elif not cues:
            head.append(block)
    cues.sort(key=lambda cue: cue[:2])
    return Cues("\n\n".join(head) or "WEBVTT", tuple(cues))


def _seconds(parts: tuple[str | None, ...]) -> float:
    hours, minutes, seconds, milliseconds = (int(part or 0) for part in parts)
    return (hours * 3_600_000 + minutes * 60_000 + seconds * 1000 + milliseconds) / 1000
