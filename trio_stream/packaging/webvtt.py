"""A WebVTT file -> its segments: each has the header of the file and the cues that are shown in its time.

A cue that spans several segments is repeated unchanged in each of them: players treat equal cues as one (RFC 8216
section 3.5)."""

import re
from bisect import bisect_right
from dataclasses import dataclass
from sys import getsizeof

# WebVTT section 4.1: hours are optional.
_TIME = r"(?:(\d{2,}):)?([0-5]\d):([0-5]\d)\.(\d{3})"
_TIMING = re.compile(rf"^{_TIME}[ \t]+-->[ \t]+{_TIME}", re.MULTILINE)

MAP = "X-TIMESTAMP-MAP=MPEGTS:0,LOCAL:00:00:00.000"
"""The timestamps of the subtitles and of the video start together."""


CUE = 128
"""Memory of a cue in addition to its text, in bytes."""


@dataclass(frozen=True, slots=True)
class Cues:
    """A parsed file: what comes before its cues, and each cue with its times in seconds, ordered by start."""

    head: str
    cues: tuple[tuple[float, float, str], ...]

    @property
    def nbytes(self) -> int:
        """Approximate memory use, in bytes."""
        return getsizeof(self.head) + sum(CUE + getsizeof(text) for _, _, text in self.cues)

    def segment(self, start: float, end: float) -> str:
        """The cues shown from `start` to `end`, as a WebVTT file."""
        before = bisect_right(self.cues, end, key=lambda cue: cue[0])
        shown = [
            text
            for begins, ends, text in self.cues[:before]
            if begins < end and (ends > start or begins >= start)
        ]
        first, line, rest = self.head.partition("\n")
        return "\n\n".join([f"{first}\n{MAP}{line}{rest}", *shown]) + "\n"


def parse(text: str) -> Cues:
    """Parse a file. Blocks before the first cue belong to its header."""
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
