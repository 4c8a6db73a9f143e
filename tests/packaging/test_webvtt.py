"""Subtitles in segments: every cue is in each segment it is shown in, and nowhere else."""

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_stream.packaging.webvtt import MAP, parse

HEAD = """WEBVTT - from a film
Kind: captions

STYLE
::cue { color: lime }

REGION
id:top

NOTE made by hand"""


def stamp(milliseconds: int, *, hours: bool = True) -> str:
    seconds, milliseconds = divmod(milliseconds, 1000)
    minutes, seconds = divmod(seconds, 60)
    if not hours:
        return f"{minutes:02}:{seconds:02}.{milliseconds:03}"
    return f"{minutes // 60:02}:{minutes % 60:02}:{seconds:02}.{milliseconds:03}"


def block(number: int, begins: int, ends: int) -> str:
    return f"cue-{number}\n{stamp(begins)} --> {stamp(ends)} line:80%\nText <i>{number}</i>"


times = st.integers(0, 60_000)
cues = st.lists(
    st.tuples(times, st.integers(0, 20_000)).map(lambda item: (item[0], item[0] + item[1])), max_size=20
)


@given(cues, st.lists(times, max_size=8), st.sampled_from(["\n", "\r\n", "\r"]))
def test_cues_are_in_the_segments_they_are_shown_in(
    cues: list[tuple[int, int]], cuts: list[int], newline: str
) -> None:
    blocks = [block(number, *each) for number, each in enumerate(cues)]
    text = parse(newline.join("\n\n".join(["WEBVTT", *blocks]).split("\n")) + newline)
    assert len(text.cues) == len(cues)
    boundaries = [0, *sorted({cut for cut in cuts if cut}), 100_000]
    seen: set[int] = set()
    for begin, end in pairwise(boundaries):
        segment = text.segment(begin / 1000, end / 1000)
        head, *found = segment.rstrip("\n").split("\n\n")
        assert head == f"WEBVTT\n{MAP}"
        numbers = {number for number, block in enumerate(blocks) if block in found}
        assert len(found) == len(numbers)
        for number, (begins, ends) in enumerate(cues):
            shown = begins < end and ends > begin
            assert (number in numbers) is (shown or (begins == ends and begin <= begins < end)), number
        seen |= numbers
    assert seen == set(range(len(cues)))


def test_cues_are_ordered_by_start() -> None:
    blocks = [block(0, 5000, 6000), block(1, 1000, 2000), block(2, 5000, 5500)]
    segment = parse("\n\n".join(["WEBVTT", *blocks])).segment(0, 100)
    assert re.findall(r"cue-\d", segment) == ["cue-1", "cue-2", "cue-0"]


def test_the_header_is_in_every_segment() -> None:
    """Its styles too, which would be lost if they were in the same block as the first line."""
    text = parse(f"{HEAD}\n\n{block(0, 0, 1000)}\n\nNOTE behind\n\n{block(1, 7000, 8000)}\n")
    expected = HEAD.replace("WEBVTT - from a film\n", f"WEBVTT - from a film\n{MAP}\n")
    assert text.segment(0, 6) == f"{expected}\n\n{block(0, 0, 1000)}\n"
    assert text.segment(6, 12) == f"{expected}\n\n{block(1, 7000, 8000)}\n"
    assert text.segment(12, 18) == f"{expected}\n"


def test_styles_after_a_bare_first_line() -> None:
    segment = parse("WEBVTT\n\nSTYLE\n::cue { color: lime }\n\n00:01.000 --> 00:02.000\nHello\n").segment(
        0, 6
    )
    assert segment == f"WEBVTT\n{MAP}\n\nSTYLE\n::cue {{ color: lime }}\n\n00:01.000 --> 00:02.000\nHello\n"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("00:01.500 --> 00:02.000", (1.5, 2.0)),
        ("01:00:01.500 --> 100:00:02.000", (3601.5, 360_002.0)),
        ("00:00:01.500\t-->\t00:00:02.000 align:start", (1.5, 2.0)),
        ("00:01.5 --> 00:02.000", None),
        ("00:61.500 --> 00:62.000", None),
        ("1 --> 2", None),
    ],
)
def test_timings(line: str, expected: tuple[float, float] | None) -> None:
    found = parse(f"WEBVTT\n\n{line}\nHello\n").cues
    assert [item[:2] for item in found] == ([expected] if expected else [])


@pytest.mark.parametrize("text", ["", "\n\n", "WEBVTT", "\ufeffWEBVTT\n"])
def test_a_file_without_cues(text: str) -> None:
    segment = parse(text).segment(0, 6)
    assert segment.lstrip("\ufeff") == f"WEBVTT\n{MAP}\n"


@given(st.text("WEBVT\n\r ->0123:.\ufeffé", max_size=200))
def test_any_text_is_parsed(text: str) -> None:
    assert parse(text).segment(0, 1e9).count(MAP) >= 1


def test_its_memory_use_is_at_least_its_text() -> None:
    """It is counted against memory budgets."""
    text = "WEBVTT\n\n" + "\n\n".join(
        f"00:{second:02}.000 --> 00:{second:02}.500\nwords" for second in range(60)
    )
    assert len(text) < parse(text).nbytes < len(text) + 60 * 256
