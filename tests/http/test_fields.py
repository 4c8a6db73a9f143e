"""Dates, entity-tags and file names as field values."""

import re
from calendar import timegm
from datetime import UTC, datetime
from email.message import Message
from urllib.parse import unquote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from trio_stream.http.fields import (
    EntityTag,
    content_disposition,
    format_date,
    parse_date,
    parse_entity_tags,
    strong_match,
    weak_match,
)

NOW = timegm((2024, 6, 15, 12, 0, 0))
EXAMPLE = 784111777  # Sun, 06 Nov 1994 08:49:37 GMT, the example of section 5.6.7


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("Sun, 06 Nov 1994 08:49:37 GMT", EXAMPLE),
        ("Sunday, 06-Nov-94 08:49:37 GMT", EXAMPLE),
        ("Sun Nov  6 08:49:37 1994", EXAMPLE),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
        ("Wed, 31 Dec 1969 23:59:59 GMT", -1),
        ("Thu, 29 Feb 2024 00:00:00 GMT", timegm((2024, 2, 29, 0, 0, 0))),
        ("Thu Feb 29 00:00:00 2024", timegm((2024, 2, 29, 0, 0, 0))),
        ("Sat, 31 Dec 2016 23:59:60 GMT", timegm((2017, 1, 1, 0, 0, 0))),  # a leap second
        ("Mon, 06 Nov 1994 08:49:37 GMT", EXAMPLE),  # the wrong day of the week
    ],
)
def test_dates(value: str, seconds: int) -> None:
    assert parse_date(value, now=NOW) == seconds


@pytest.mark.parametrize(
    ("now", "value", "year"),
    [
        ((2024, 6, 15, 12, 0, 0), "Sunday, 06-Nov-94 08:49:37 GMT", 1994),
        ((2024, 6, 15, 12, 0, 0), "Saturday, 15-Jun-24 12:00:00 GMT", 2024),
        ((2024, 6, 15, 12, 0, 0), "Friday, 15-Jun-74 12:00:00 GMT", 2074),  # fifty years ahead, to the second
        ((2024, 6, 15, 12, 0, 0), "Friday, 15-Jun-74 12:00:01 GMT", 1974),
        ((2024, 6, 15, 12, 0, 0), "Saturday, 01-Jan-00 00:00:00 GMT", 2000),
        ((1999, 12, 31, 23, 59, 59), "Saturday, 01-Jan-00 00:00:00 GMT", 2000),
        ((2060, 1, 1, 0, 0, 0), "Friday, 01-Jan-10 00:00:00 GMT", 2110),
        ((2060, 1, 1, 0, 0, 0), "Friday, 02-Jan-10 00:00:00 GMT", 2010),
    ],
)
def test_a_year_of_two_digits(now: tuple[int, int, int, int, int, int], value: str, year: int) -> None:
    seconds = parse_date(value, now=timegm(now))
    assert seconds is not None
    assert datetime.fromtimestamp(seconds, UTC).year == year


@pytest.mark.parametrize(
    "value",
    [
        "",
        "0",
        "784111777",
        "1994-11-06T08:49:37Z",
        "Sun, 06 Nov 1994 08:49:37",
        "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 06 Nov 1994 08:49:37 +0000",
        "Sun, 06 Nov 1994 08:49:37 GMT ",
        "Sun, 06 Nov 1994 08:49:37 GMT\n",
        "sun, 06 nov 1994 08:49:37 gmt",
        "Sun, 6 Nov 1994 08:49:37 GMT",
        "Sun,  6 Nov 1994 08:49:37 GMT",
        "Sun, 06  Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 94 08:49:37 GMT",
        "Sun, 06-Nov-94 08:49:37 GMT",
        "Sunday, 06 Nov 1994 08:49:37 GMT",
        "Sun Nov 6 08:49:37 1994",
        "Sun Nov  6 08:49:37 1994 GMT",
        "Sun, 00 Nov 1994 08:49:37 GMT",
        "Sun, 31 Nov 1994 08:49:37 GMT",
        "Sun, 29 Feb 2023 08:49:37 GMT",
        "Thursday, 29-Feb-23 08:49:37 GMT",
        "Sun, 06 Foo 1994 08:49:37 GMT",
        "Sun, 06 Nov 0000 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:00:00 GMT",
        "Sun, 06 Nov 1994 08:60:00 GMT",
        "Sun, 06 Nov 1994 08:49:60 GMT",
        "Sun, 06 Nov 1994 23:59:61 GMT",
        "Sun, 06 Nov \u0661\u0669\u0669\u0664 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT",
    ],
)
def test_malformed_dates(value: str) -> None:
    assert parse_date(value, now=NOW) is None


@pytest.mark.parametrize(
    ("seconds", "value"),
    [
        (EXAMPLE, "Sun, 06 Nov 1994 08:49:37 GMT"),
        (-1, "Wed, 31 Dec 1969 23:59:59 GMT"),
        (2**63 - 1, "Fri, 31 Dec 9999 23:59:59 GMT"),
        (-(2**63), "Mon, 01 Jan 0001 00:00:00 GMT"),
    ],
)
def test_formatted_dates(seconds: int, value: str) -> None:
    assert format_date(seconds) == value


four_digit_years = st.integers(timegm((1, 1, 1, 0, 0, 0)), timegm((9999, 12, 31, 23, 59, 59)))


@given(seconds=four_digit_years, now=st.integers(0, 2**34))
def test_a_formatted_date_reads_back(seconds: int, now: int) -> None:
    assert parse_date(format_date(seconds), now=now) == seconds


@given(seconds=four_digit_years.filter(lambda seconds: seconds >= timegm((1000, 1, 1, 0, 0, 0))))
def test_asctime_reads_back(seconds: int) -> None:
    assert parse_date(datetime.fromtimestamp(seconds, UTC).ctime(), now=NOW) == seconds


@given(value=st.one_of(st.text(), st.from_regex(r"\A[A-Z][a-z]+,? ?[0-9A-Za-z :-]{0,30}( GMT)?\Z")))
@example("Sun, 99 Feb 9999 99:99:99 GMT")
@example("Sunday, 99-Feb-99 99:99:99 GMT")
@example("Sun Feb 99 99:99:99 0000")
def test_any_text_is_a_date_or_malformed(value: str) -> None:
    seconds = parse_date(value, now=NOW)
    assert seconds is None or parse_date(format_date(seconds), now=NOW) == seconds


def strong(opaque: str) -> EntityTag:
    return EntityTag(opaque, weak=False)


def weak(opaque: str) -> EntityTag:
    return EntityTag(opaque, weak=True)


@pytest.mark.parametrize(
    ("value", "tags"),
    [
        ("*", "*"),
        (" *\t", "*"),
        ('"xyzzy"', (strong("xyzzy"),)),
        ('W/"xyzzy"', (weak("xyzzy"),)),
        ('""', (strong(""),)),
        ('"a", W/"b" ,"c"', (strong("a"), weak("b"), strong("c"))),
        ('"a,b", "c"', (strong("a,b"), strong("c"))),
        ('"*"', (strong("*"),)),
        ('"\\"', (strong("\\"),)),  # not a quoted-string: the backslash is literal
        ('"\x80\xff"', (strong("\x80\xff"),)),
        ('\t, ,"a",,', (strong("a"),)),
        ("", ()),
        (" , ", ()),
    ],
)
def test_entity_tags(value: str, tags: object) -> None:
    assert parse_entity_tags(value) == tags


@pytest.mark.parametrize(
    "value",
    [
        "xyzzy",
        '"xyzzy',
        'xyzzy"',
        'w/"xyzzy"',
        'W/ "xyzzy"',
        "W/",
        "W/*",
        '"a" "b"',
        '"a"; "b"',
        '*, "a"',
        '"a", *',
        "**",
        '"a b"',
        '"a\tb"',
        '"a\x7fb"',
        '"a\u0100b"',
        '"a"\n',
        "'a'",
    ],
)
def test_malformed_entity_tags(value: str) -> None:
    assert parse_entity_tags(value) is None


opaque_tags = st.text(st.characters(min_codepoint=0x21, max_codepoint=0xFF, exclude_characters='"\x7f'))


@given(
    tags=st.lists(st.builds(EntityTag, opaque_tags, st.booleans())),
    comma=st.sampled_from([",", " , ", ",,\t"]),
)
def test_formatted_entity_tags_read_back(tags: list[EntityTag], comma: str) -> None:
    value = comma.join(f'{"W/" if tag.weak else ""}"{tag.opaque}"' for tag in tags)
    assert parse_entity_tags(value) == tuple(tags)


@given(value=st.one_of(st.text(), st.text('W/"*, \tx\n')))
def test_any_text_is_a_list_of_tags_or_malformed(value: str) -> None:
    tags = parse_entity_tags(value)
    assert tags is None or tags == "*" or all(tag.opaque in value for tag in tags)


@pytest.mark.parametrize(
    ("unit", "times"),
    [(" ", 3_000_000), (" ,\t", 500_000), ('"', 500_000), ("W/", 500_000), ('"a"  ', 500_000)],
)
def test_long_values_take_linear_time(unit: str, times: int) -> None:
    assert parse_entity_tags(unit * times + "x") is None  # quadratic time would exceed pytest's timeout


@pytest.mark.parametrize(
    ("one", "other", "strongly", "weakly"),  # the table of section 8.8.3.2
    [
        (weak("1"), weak("1"), False, True),
        (weak("1"), weak("2"), False, False),
        (weak("1"), strong("1"), False, True),
        (strong("1"), strong("1"), True, True),
    ],
)
def test_comparison(one: EntityTag, other: EntityTag, strongly: bool, weakly: bool) -> None:
    assert strong_match(one, other) is strong_match(other, one) is strongly
    assert weak_match(one, other) is weak_match(other, one) is weakly


@pytest.mark.parametrize(
    ("filename", "value"),
    [
        ("film.mp4", "attachment; filename=\"film.mp4\"; filename*=UTF-8''film.mp4"),
        ("a b.mp4", "attachment; filename=\"a b.mp4\"; filename*=UTF-8''a%20b.mp4"),
        (
            '50% "x" \\ y.mp4',
            "attachment; filename=\"50_ _x_ _ y.mp4\"; filename*=UTF-8''50%25%20%22x%22%20%5C%20y.mp4",
        ),
        ("naïve €.mkv", "attachment; filename=\"na_ve _.mkv\"; filename*=UTF-8''na%C3%AFve%20%E2%82%AC.mkv"),
        ("a\r\nX: y", "attachment; filename=\"a__X: y\"; filename*=UTF-8''a%0D%0AX%3A%20y"),
        ("a;b='c'*(1)", "attachment; filename=\"a;b='c'*(1)\"; filename*=UTF-8''a%3Bb%3D%27c%27%2A%281%29"),
        ("\udcff.mp4", "attachment; filename=\"_.mp4\"; filename*=UTF-8''%EF%BF%BD.mp4"),
    ],
)
def test_content_disposition(filename: str, value: str) -> None:
    assert content_disposition(filename) == value


@given(st.text(st.characters(exclude_categories=())))
@example("\ud800\udc00")
@example("\x00\x7f\x80\u2028")
def test_any_file_name_gives_a_safe_header_that_reads_back(filename: str) -> None:
    value = content_disposition(filename)

    assert re.fullmatch(r"[\x20-\x7E]*", value)
    plain = re.search(r'; filename="([^"\\%/]*)"; ', value)
    assert plain is not None
    assert len(plain[1]) == len(filename)
    whole = "".join("\ufffd" if "\ud800" <= char <= "\udfff" else char for char in filename)
    extended = re.search(r"filename\*=UTF-8''([A-Za-z0-9!#$&+\-.^_`|~%]*)\Z", value)
    assert extended is not None
    assert unquote(extended[1], errors="strict") == whole


@given(st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1))
def test_the_standard_library_reads_the_same_name(filename: str) -> None:
    # The plain name comes first, so it is removed for a parser that does not prefer the other one.
    message = Message()
    message["Content-Disposition"] = re.sub(r'filename="[^"]*"; ', "", content_disposition(filename))
    assert message.get_filename() == filename.strip()
