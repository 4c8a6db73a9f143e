"""Read SRT and WebVTT files into cues (pure); ass.py does the same for ASS and SSA.

Invariant: any text gives the cues that can be found in it, at most `MAX_CUES`, in time proportional to its length.

pysubs2 was tried: it does not escape WebVTT (a `-->` in the text breaks the file, and `a < b` loses what follows), and
it drops positions.
"""

import itertools
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from trio_stream.media.formats.cues import INVISIBLE, Cue, clean, is_blank, with_missing_ends
from trio_stream.media.subtitles.markup import from_srt, from_vtt

MAX_CUES = 200_000

# hours ":" minutes ":" seconds ("," | "." | ":") milliseconds; some files have no hours or no fractions, and others
# have spaces. As in FFmpeg, a sign applies to the hours only: "-00:00:01" is one second.
_POINT = r" {0,3}[,.:;] {0,3}"
_CLOCK = r"(?:(-? ?\d{1,4}) {0,3}: {0,3})?-?(\d{1,4}) {0,3}: {0,3}(\d{1,4})"
_TIME = rf"{_CLOCK}(?:{_POINT}(\d{{1,3}})\d{{0,6}})?"
_WHOLE_TIME = rf"{_CLOCK}{_POINT}(\d{{1,3}})\d{{0,6}}"
_DASH = r"[-\u2010-\u2015\u2212=]"
_START, _REST = r" {0,20}(?:\d{1,6} {1,3})?", "(.{0,500})"
_VTT = re.compile(rf"{_START}{_TIME} {{0,20}}-{{1,2}}> {{0,20}}{_TIME}{_REST}")
_SRT = re.compile(rf"{_START}{_TIME} {{0,20}}(?:{_DASH}{{0,3}} ?>|\u2192|\u21d2) {{0,20}}{_TIME}{_REST}")
# Only for files without any arrow: times without one, or with an escaped one.
_NO_ARROW = re.compile(
    rf"{_START}{_WHOLE_TIME}(?: {{0,3}}(?:{_DASH}|[, ]){{1,3}}(?: ?&gt;)? {{0,3}}){_WHOLE_TIME}( {{0,20}})$"
)

MAX_TIMING = 700
"""Characters of a timing line, with the settings after the times."""


def milliseconds(hours: str | None, minutes: str, seconds: str, fraction: str | None) -> int:
    """Convert a time, whose parts are digits, to milliseconds; `fraction` is one to three digits after the point."""
    whole = (int(hours or 0) * 60 + int(minutes)) * 60 + int(seconds)
    return whole * 1000 + int((fraction or "0").ljust(3, "0"))


def _plain(line: str) -> str:
    """Normalise character widths and spaces, and remove invisible characters, so that times and numbers can be read."""
    if not line.isascii():
        line = unicodedata.normalize("NFKC", INVISIBLE.sub("", line))
    return line.replace("\t", " ")


def _timing(line: str, pattern: re.Pattern[str] = _VTT) -> tuple[int, int, str] | None:
    """Parse a timing line: start and stop in milliseconds, and the rest of the line."""
    if not line or line.isalpha():
        return None
    plain = _plain(line[:MAX_TIMING])
    if ":" not in plain:
        return None
    match = pattern.match(plain)
    if match is None:
        return None
    hours, *start, later, minutes, seconds, fraction, rest = match.groups()
    spaceless = hours and hours.replace(" ", ""), later and later.replace(" ", "")
    first, stop = milliseconds(spaceless[0], *start), milliseconds(spaceless[1], minutes, seconds, fraction)
    return (0 if first < 0 < stop else first), stop, rest


type _Timed = tuple[tuple[int, int, str], int, int]


def _timed(lines: list[str], pattern: re.Pattern[str] = _VTT) -> Iterator[_Timed]:
    """Yield each timing, with the range of the lines between it and the next one."""
    previous: tuple[tuple[int, int, str], int] | None = None
    for number, line in enumerate(lines):
        timing = _timing(line, pattern)
        if timing is None:
            continue
        if previous is not None:
            yield previous[0], previous[1], number
        previous = timing, number + 1
    if previous is not None:
        yield previous[0], previous[1], len(lines)


def srt_cues(text: str) -> list[Cue]:
    """Return the cues of an SRT file, all that FFmpeg finds, and more.

    It accepts blank lines inside a cue or after every line, missing numbers, missing blank lines, and cues that end
    before they begin.
    """
    lines = clean(text).split("\n")
    timed = list(itertools.islice(_timed(lines, _SRT), MAX_CUES))
    if not timed:
        timed = list(itertools.islice(_timed(lines, _NO_ARROW), MAX_CUES))
    numbers = _numbers(lines, timed)
    cues = []
    for index, ((start, stop, _), first, last) in enumerate(timed):
        end = numbers[index + 1] if index + 1 < len(timed) else last
        cue_text, settings = from_srt("\n".join(lines[first:end]).strip())
        cues.append(Cue(start, stop, cue_text, settings))
    return with_missing_ends(cues)


def _numbers(lines: list[str], timed: list[_Timed]) -> list[int]:
    """Return the line at which each cue begins: its number, if the cues of the file have numbers, else its times.

    A number is the line before the times. If line ends are doubled, a blank line is between them. This is accepted only
    if the numbers ascend; otherwise "1984" would be taken for a number in a file without numbers.
    """
    floor = 0
    starts, adjacent_count, spaced_count, ascending, previous = [], 0, 0, 0, None
    for _, first, _ in timed:
        at = first - 2
        while at > floor and is_blank(lines[at]):
            at -= 1
        line = _plain(lines[at]).strip() if at >= floor else ""
        number = int(line) if line.isdecimal() and len(line) < 9 else None
        starts.append((number is not None, at, first - 1))
        if number is not None:
            adjacent_count += at == first - 2
            spaced_count += at != first - 2
            ascending += previous is not None and number == previous + 1
        previous, floor = number, first
    is_adjacent = adjacent_count * 2 >= len(timed)
    is_spaced = not is_adjacent and spaced_count * 2 >= len(timed) and ascending * 2 >= len(timed) - 1
    return [
        at if is_number and (is_spaced or (is_adjacent and at == times - 1)) else times
        for is_number, at, times in starts
    ]


# --- WebVTT -------------------------------------------------------------------------------------------

# Section 4.4: the cue settings, each with its valid values.
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


def _valid(patterns: dict[str, re.Pattern[str]], words: Iterable[str]) -> Iterator[str]:
    for word in words:
        name, _, value = word.replace("align:middle", "align:center").partition(":")
        if name in patterns and patterns[name].fullmatch(value):
            yield f"{name}:{value}"


@dataclass(frozen=True, slots=True)
class WebVTT:
    """The cues of a WebVTT file, and the blocks that style them."""

    cues: list[Cue]
    preface: list[str] = field(default_factory=list)


def parse_webvtt(text: str) -> WebVTT:
    """Parse a WebVTT file, without its comments, and without styles that could load something else."""
    lines = clean(text).split("\n")
    first = next((number for number, line in enumerate(lines) if _timing(line)), len(lines))
    preface = [safe for block in _blocks(lines[:first]) if (safe := _safe_block(block))]
    regions = _regions(preface)
    cues = []
    for (start, stop, rest), after, last in itertools.islice(_timed(lines), MAX_CUES):
        block = list(itertools.takewhile(str.strip, lines[after:last]))
        cues.append(Cue(start, stop, from_vtt("\n".join(block)), _settings(rest, regions)))
    return WebVTT(cues, preface[:100])


def cue_settings(settings_text: str, preface: Iterable[str] = ()) -> str:
    """Return the valid settings of a cue, without regions that no block of `preface` defines."""
    return _settings(settings_text, _regions(preface))


def _settings(settings_text: str, regions: set[str]) -> str:
    words = (
        word
        for word in _valid(_SETTINGS, settings_text.split())
        if word[:7] != "region:" or word[7:] in regions
    )
    return " ".join(dict.fromkeys(words))


def _regions(preface: Iterable[str]) -> set[str]:
    return {word[3:] for block in preface for word in block.split() if word.startswith("id:")}


def _blocks(lines: list[str]) -> Iterator[list[str]]:
    for blank, block in itertools.groupby(lines, lambda line: not line.strip()):
        if not blank:
            yield list(block)


def _safe_block(block: list[str]) -> str | None:
    """Return a STYLE or REGION block that is safe: cue rules without addresses, or a region definition; else None."""
    kind, rest = block[0].strip(), block[1:]
    if kind == "STYLE" and len(rest) <= 500:
        style = "\n".join(rest)
        # Section 8.2.1 forbids fetching; we do not rely on the browser: `@import`, `url(`, escapes.
        safe = "::cue" in style and not re.search(
            r"[@\\<]|-->|url|image|expression|content", style, re.IGNORECASE
        )
        return f"STYLE\n{style}" if safe else None
    if kind == "REGION":
        words = list(_valid(_REGION, " ".join(rest).split()[:20]))
        return "REGION\n" + "\n".join(words) if any(word.startswith("id:") for word in words) else None
    return None
