"""SRT and WebVTT files, read into cues (pure); ass.py does the same for ASS and SSA.

Invariant: any text gives what cues can be found in it, in time in proportion to its length, and at most `MOST_CUES`.

pysubs2 was tried: what it writes as WebVTT is not escaped (a `-->` in the text breaks the file, `a < b` loses what
follows), and it keeps no positions.
"""

import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from trio_stream.media.cues import Cue, clean
from trio_stream.media.markup import from_srt, from_vtt

MOST_CUES = 200_000

# hours ":" minutes ":" seconds ("," | "." | ":") milliseconds; hours, and fractions, are left out by some.
_TIME = r"(?:([0-9]{1,4}):)?([0-9]{1,2}):([0-9]{1,2})(?:[,.:]([0-9]{1,3})[0-9]{0,6})?"
_TIMING = re.compile(rf"[ \t]{{0,20}}{_TIME}[ \t]{{0,20}}-{{1,2}}>[ \t]{{0,20}}{_TIME}(.{{0,500}})", re.ASCII)


def milliseconds(hours: str | None, minutes: str, seconds: str, fraction: str | None) -> int:
    """A time of day, as it were, whose parts are digits; `fraction` is one to three of them after the point."""
    whole = (int(hours or 0) * 60 + int(minutes)) * 60 + int(seconds)
    return whole * 1000 + int((fraction or "0").ljust(3, "0"))


def _timing(line: str) -> tuple[int, int, str] | None:
    """Start and stop in milliseconds, and what follows."""
    found = _TIMING.match(line) if "->" in line else None
    if found is None:
        return None
    fields = found.groups()
    return milliseconds(*fields[0:4]), milliseconds(*fields[4:8]), fields[8]


def _timed(lines: list[str]) -> Iterator[tuple[tuple[int, int, str], int, int]]:
    """Each timing line, and the first and the last (excluded) line of what is between it and the next."""
    before: tuple[tuple[int, int, str], int] | None = None
    for number, line in enumerate(lines):
        timing = _timing(line)
        if timing is None:
            continue
        if before is not None:
            yield before[0], before[1], number
        before = timing, number + 1
    if before is not None:
        yield before[0], before[1], len(lines)


def srt_cues(text: str) -> list[Cue]:
    """The cues of an SRT file. Blank lines inside a cue, missing numbers and missing blank lines are put up with."""
    lines = clean(text).split("\n")
    cues = []
    for (start, stop, _), first, last in itertools.islice(_timed(lines), MOST_CUES):
        end = last
        if end < len(lines) and end > first and lines[end - 1].strip().isdecimal():
            end -= 1  # the number of the next cue
        written, settings = from_srt("\n".join(lines[first:end]).strip())
        cues.append(Cue(start, stop, written, settings))
    return cues


# --- WebVTT -------------------------------------------------------------------------------------------

# Section 4.4: the settings there are, each with the values it may have.
_PERCENT = r"(?:100|[0-9]{1,2})(?:\.[0-9]{1,6})?%"
_SETTINGS = {
    "vertical": re.compile(r"rl|lr"),
    "line": re.compile(rf"(?:{_PERCENT}|-?[0-9]{{1,3}})(?:,(?:start|center|end))?"),
    "position": re.compile(rf"{_PERCENT}(?:,(?:line-left|center|line-right))?"),
    "size": re.compile(_PERCENT),
    "align": re.compile(r"start|center|end|left|right"),
    "region": re.compile(r"[\w-]{1,60}"),
}
_REGION = {
    "id": re.compile(r"[\w-]{1,60}"),
    "width": re.compile(_PERCENT),
    "lines": re.compile(r"[0-9]{1,3}"),
    "regionanchor": re.compile(rf"{_PERCENT},{_PERCENT}"),
    "viewportanchor": re.compile(rf"{_PERCENT},{_PERCENT}"),
    "scroll": re.compile(r"up"),
}


def _valid(known: dict[str, re.Pattern[str]], words: Iterable[str]) -> Iterator[str]:
    for word in words:
        name, _, value = word.replace("align:middle", "align:center").partition(":")
        if name in known and known[name].fullmatch(value):
            yield f"{name}:{value}"


@dataclass(frozen=True, slots=True)
class Captions:
    """Cues, and the blocks of a WebVTT file that say how they look."""

    cues: list[Cue]
    preface: list[str] = field(default_factory=list)


def vtt_captions(text: str) -> Captions:
    """What a WebVTT file says, without its comments, and without styles that could reach out of it."""
    lines = clean(text).split("\n")
    first = next((number for number, line in enumerate(lines) if _timing(line)), len(lines))
    preface = [safe for block in _blocks(lines[:first]) if (safe := _safe_block(block))]
    regions = {word[3:] for block in preface for word in block.split() if word.startswith("id:")}
    cues = []
    for (start, stop, rest), after, last in itertools.islice(_timed(lines), MOST_CUES):
        block = list(itertools.takewhile(str.strip, lines[after:last]))
        settings = [
            word for word in _valid(_SETTINGS, rest.split()) if word[:7] != "region:" or word[7:] in regions
        ]
        cues.append(Cue(start, stop, from_vtt("\n".join(block)), " ".join(dict.fromkeys(settings))))
    return Captions(cues, preface[:100])


def _blocks(lines: list[str]) -> Iterator[list[str]]:
    for blank, block in itertools.groupby(lines, lambda line: not line.strip()):
        if not blank:
            yield list(block)


def _safe_block(block: list[str]) -> str | None:
    """A STYLE or REGION block that may stay: rules for cues that name no address, and regions as they are defined."""
    kind, rest = block[0].strip(), block[1:]
    if kind == "STYLE" and len(rest) <= 500:
        style = "\n".join(rest)
        # Section 8.2.1 allows no address to be fetched, which is not left to the page: `@import`, `url(`, escapes.
        safe = "::cue" in style and not re.search(
            r"[@\\<]|-->|url|image|expression|content", style, re.IGNORECASE
        )
        return f"STYLE\n{style}" if safe else None
    if kind == "REGION":
        words = list(_valid(_REGION, " ".join(rest).split()[:20]))
        return "REGION\n" + "\n".join(words) if any(word.startswith("id:") for word in words) else None
    return None
