"""SRT and WebVTT files, read into cues (pure); ass.py does the same for ASS and SSA.

Invariant: any text gives what cues can be found in it, in time in proportion to its length, and at most `MOST_CUES`.

pysubs2 was tried: what it writes as WebVTT is not escaped (a `-->` in the text breaks the file, `a < b` loses what
follows), and it keeps no positions.
"""

import itertools
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from trio_stream.media.formats.cues import INVISIBLE, Cue, clean, is_blank, with_missing_ends
from trio_stream.media.subtitles.markup import from_srt, from_vtt

MOST_CUES = 200_000

# hours ":" minutes ":" seconds ("," | "." | ":") milliseconds; hours, and fractions, are left out by some, and spaces
# put in by others. As in FFmpeg, a sign counts for the hours alone: "-00:00:01" is one second.
_POINT = r" {0,3}[,.:;] {0,3}"
_CLOCK = r"(?:(-? ?\d{1,4}) {0,3}: {0,3})?-?(\d{1,4}) {0,3}: {0,3}(\d{1,4})"
_TIME = rf"{_CLOCK}(?:{_POINT}(\d{{1,3}})\d{{0,6}})?"
_WHOLE_TIME = rf"{_CLOCK}{_POINT}(\d{{1,3}})\d{{0,6}}"
_DASH = r"[-\u2010-\u2015\u2212=]"
_START, _REST = r" {0,20}(?:\d{1,6} {1,3})?", "(.{0,500})"
_VTT = re.compile(rf"{_START}{_TIME} {{0,20}}-{{1,2}}> {{0,20}}{_TIME}{_REST}")
_SRT = re.compile(rf"{_START}{_TIME} {{0,20}}(?:{_DASH}{{0,3}} ?>|\u2192|\u21d2) {{0,20}}{_TIME}{_REST}")
# Only where there is no arrow in a whole file: without one, or with one that was escaped.
_NO_ARROW = re.compile(
    rf"{_START}{_WHOLE_TIME}(?: {{0,3}}(?:{_DASH}|[, ]){{1,3}}(?: ?&gt;)? {{0,3}}){_WHOLE_TIME}( {{0,20}})$"
)

LONGEST_TIMING = 700
"""Characters of a line that has times in it, with what is behind them."""


def milliseconds(hours: str | None, minutes: str, seconds: str, fraction: str | None) -> int:
    """A time of day, as it were, whose parts are digits; `fraction` is one to three of them after the point."""
    whole = (int(hours or 0) * 60 + int(minutes)) * 60 + int(seconds)
    return whole * 1000 + int((fraction or "0").ljust(3, "0"))


def _plain(line: str) -> str:
    """As times and numbers are read: characters of any width are one, spaces are spaces, and what is unseen is gone."""
    if not line.isascii():
        line = unicodedata.normalize("NFKC", INVISIBLE.sub("", line))
    return line.replace("\t", " ")


def _timing(line: str, form: re.Pattern[str] = _VTT) -> tuple[int, int, str] | None:
    """Start and stop in milliseconds, and what follows."""
    if not line or line.isalpha():
        return None
    plain = _plain(line[:LONGEST_TIMING])
    if ":" not in plain:
        return None
    found = form.match(plain)
    if found is None:
        return None
    hours, *start, later, minutes, seconds, fraction, rest = found.groups()
    spaceless = hours and hours.replace(" ", ""), later and later.replace(" ", "")
    first, stop = milliseconds(spaceless[0], *start), milliseconds(spaceless[1], minutes, seconds, fraction)
    return (0 if first < 0 < stop else first), stop, rest


type _Timed = tuple[tuple[int, int, str], int, int]


def _timed(lines: list[str], form: re.Pattern[str] = _VTT) -> Iterator[_Timed]:
    """Each timing line, and the first and the last (excluded) line of what is between it and the next."""
    before: tuple[tuple[int, int, str], int] | None = None
    for number, line in enumerate(lines):
        timing = _timing(line, form)
        if timing is None:
            continue
        if before is not None:
            yield before[0], before[1], number
        before = timing, number + 1
    if before is not None:
        yield before[0], before[1], len(lines)


def srt_cues(text: str) -> list[Cue]:
    """The cues of an SRT file, of all that FFmpeg makes out, and of more.

    Blank lines inside a cue or behind every line, missing numbers, missing blank lines, and cues that end before they
    begin are put up with.
    """
    lines = clean(text).split("\n")
    timed = list(itertools.islice(_timed(lines, _SRT), MOST_CUES))
    if not timed:
        timed = list(itertools.islice(_timed(lines, _NO_ARROW), MOST_CUES))
    numbers = _numbers(lines, timed)
    cues = []
    for place, ((start, stop, _), first, last) in enumerate(timed):
        end = numbers[place + 1] if place + 1 < len(timed) else last
        written, settings = from_srt("\n".join(lines[first:end]).strip())
        cues.append(Cue(start, stop, written, settings))
    return with_missing_ends(cues)


def _numbers(lines: list[str], timed: list[_Timed]) -> list[int]:
    """Where each cue begins: at its number, if the cues of this file have numbers, else at its times.

    A number is the line before the times. Where lines are doubled, blank ones come between; that is believed only of
    numbers that ascend, for else it would take "1984" for one in a file that numbers nothing.
    """
    floor = 0
    begins, direct, apart, ascending, before = [], 0, 0, 0, None
    for _, first, _ in timed:
        at = first - 2
        while at > floor and is_blank(lines[at]):
            at -= 1
        written = _plain(lines[at]).strip() if at >= floor else ""
        number = int(written) if written.isdecimal() and len(written) < 9 else None
        begins.append((number is not None, at, first - 1))
        if number is not None:
            direct += at == first - 2
            apart += at != first - 2
            ascending += before is not None and number == before + 1
        before, floor = number, first
    adjacent = direct * 2 >= len(timed)
    spaced = not adjacent and apart * 2 >= len(timed) and ascending * 2 >= len(timed) - 1
    return [
        at if is_number and (spaced or (adjacent and at == times - 1)) else times
        for is_number, at, times in begins
    ]


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
    regions = _regions(preface)
    cues = []
    for (start, stop, rest), after, last in itertools.islice(_timed(lines), MOST_CUES):
        block = list(itertools.takewhile(str.strip, lines[after:last]))
        cues.append(Cue(start, stop, from_vtt("\n".join(block)), _settings(rest, regions)))
    return Captions(cues, preface[:100])


def cue_settings(written: str, preface: Iterable[str] = ()) -> str:
    """The settings of a cue that are ones, without regions that no block of `preface` defines."""
    return _settings(written, _regions(preface))


def _settings(written: str, regions: set[str]) -> str:
    words = (
        word for word in _valid(_SETTINGS, written.split()) if word[:7] != "region:" or word[7:] in regions
    )
    return " ".join(dict.fromkeys(words))


def _regions(preface: Iterable[str]) -> set[str]:
    return {word[3:] for block in preface for word in block.split() if word.startswith("id:")}


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
