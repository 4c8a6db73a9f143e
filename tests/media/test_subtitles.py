"""Real-world subtitles are converted to WebVTT that no text can break."""

import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.costs import assert_costs
from trio_stream.media.formats.cues import MAX_TEXT_LENGTH, Cue, merge_repeated, webvtt, with_missing_ends
from trio_stream.media.subtitles.ass import ass_cues
from trio_stream.media.subtitles.markup import from_srt, from_vtt, settings_of
from trio_stream.media.subtitles.srt import parse_webvtt, srt_cues


def cues(text: str) -> list[tuple[int, int, str, str]]:
    return [(cue.start, cue.stop, cue.text, cue.settings) for cue in srt_cues(text) if cue.text]


def as_webvtt(cue_list: list[Cue]) -> str:
    return "".join(webvtt(cue_list))


# --- Our own reader, strict where browsers are lenient ---------------------------------------------

STAMP = r"(\d{2,}):([0-5]\d):([0-5]\d)\.(\d{3})"
SETTING = r"(?: (?:vertical|line|position|size|align|region):\S+)*"
TIMING = re.compile(rf"{STAMP} --> {STAMP}({SETTING})")
TAG = re.compile(r"<(/?)([a-z]+)?([^<>]*)>")


def read(text: str) -> list[tuple[int, int, str]]:
    """Read start, stop and text of each cue; fail if the file does not conform to section 4.1."""
    head, *blocks = text.removesuffix("\n").split("\n\n")
    assert head == "WEBVTT"
    result: list[tuple[int, int, str]] = []
    for block in blocks:
        if block.startswith(("STYLE\n", "REGION\n")):
            assert not result
            assert "-->" not in block
            continue
        timing, _, body = block.partition("\n")
        found = TIMING.fullmatch(timing)
        assert found, timing
        numbers = [int(number) for number in found.groups()[:8]]
        start, stop = (((h * 60 + m) * 60 + s) * 1000 + f for h, m, s, f in (numbers[:4], numbers[4:]))
        assert start < stop
        assert body.strip()
        assert "-->" not in body
        assert all(line.strip() for line in body.split("\n"))
        check_tags(body)
        result.append((start, stop, body))
    assert [start for start, _, _ in result] == sorted(start for start, _, _ in result)
    return result


def check_tags(body: str) -> None:
    stack: list[str] = []
    for slash, name, rest in TAG.findall(body):
        if re.fullmatch(r"[\d:.]+", rest) and not name:
            continue
        assert name in {"i", "b", "u", "c", "v", "lang", "ruby", "rt"}
        if slash:
            assert stack.pop() == name
        else:
            stack.append(name)
    assert not stack
    plain = TAG.sub("", body)
    assert "<" not in plain
    assert ">" not in plain
    assert not re.search(r"&(?!(?:amp|lt|gt|nbsp|lrm|rlm);)", plain)


# --- SRT ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1\n00:00:01,000 --> 00:00:02,500\nHello\n", [(1000, 2500, "Hello", "")]),
        ("1\r\n00:00:01,000 --> 00:00:02,500\r\nTwo\r\nlines\r\n\r\n", [(1000, 2500, "Two\nlines", "")]),
        ("1\r00:00:01,000 --> 00:00:02,500\rOld Mac\r", [(1000, 2500, "Old Mac", "")]),
        ("\ufeff1\n00:00:01.5 --> 00:00:02.50\nPoints\n", [(1500, 2500, "Points", "")]),
        ("00:01 --> 00:02\nNo hours, no number\n", [(1000, 2000, "No hours, no number", "")]),
        ("1\n0:0:1,0->0:0:2,0\nThin\n", [(1000, 2000, "Thin", "")]),
        ("1\n00:00:01:000 --> 00:00:02:000\nColons\n", [(1000, 2000, "Colons", "")]),
        ("1\n00:00:01,000 --> 00:00:02,000 X1:1 X2:2 Y1:3 Y2:4\nPlaced\n", [(1000, 2000, "Placed", "")]),
        ("1\n100:00:00,000 --> 100:00:01,000\nToo late, but a cue\n", [(360_000_000, 360_001_000, "Too late, but a cue", "")]),
        (
            "1\n00:00:01,000 --> 00:00:02,000\nA blank line\n\ninside\n\n2\n00:00:03,000 --> 00:00:04,000\nNext\n",
            [(1000, 2000, "A blank line\ninside", ""), (3000, 4000, "Next", "")],
        ),
        (
            "1\n00:00:01,000 --> 00:00:02,000\nNo blank line between\n2\n00:00:03,000 --> 00:00:04,000\nNext\n",
            [(1000, 2000, "No blank line between", ""), (3000, 4000, "Next", "")],
        ),
        (
            "00:00:01,000 --> 00:00:02,000\n42\n\n00:00:03,000 --> 00:00:04,000\n1984\n",
            [(1000, 2000, "42", ""), (3000, 4000, "1984", "")],
        ),
        ("1\n00:00:01,000 --> 00:00:02,000\n\n2\n00:00:03,000 --> 00:00:04,000\n<i></i>\n", []),
        ("nothing of the kind", []),
        ("", []),
    ],
)  # fmt: skip
def test_real_world_srt_is_read(text: str, expected: list[tuple[int, int, str, str]]) -> None:
    assert cues(text) == expected


TEXT_CUES = [(1000, 2000, "One", ""), (3000, 4000, "Two\nlines", ""), (5000, 6000, "3", "")]

CLEAN = (
    "7\n00:00:01,000 --> 00:00:02,000\nOne\n\n8\n00:00:03,000 --> 00:00:04,000\nTwo\nlines\n\n"
    "9\n00:00:05,000 --> 00:00:06,000\n3\n"
)


@pytest.mark.parametrize(
    "text",
    [
        CLEAN.replace("\n", "\r\r\n"),
        CLEAN.replace("\n", "\r\r\r\n"),
        CLEAN.replace("\n", "\n\n"),
        CLEAN.replace("\n", "\n\u00a0\n"),
        CLEAN.replace("\n", " \r\r"),
        CLEAN.replace("\n", "\r\n\t\r\n\r\n"),
        CLEAN.replace(",000", " , 000"),
        CLEAN.replace(",", ";"),
        CLEAN.replace(":", " : "),
        CLEAN.replace("00:00:0", "00:\u200300:0"),
        CLEAN.replace("00:00:0", "0:\t0:"),
        CLEAN.replace("00:00:0", "00:000:000"),
        CLEAN.replace("00:", "\u200f00:\u2069"),
        CLEAN.replace("\n", "\n\u200b").replace("\u200bOne", "One").replace("\u200bTwo", "Two")
        .replace("\u200blines", "lines").replace("\u200b3\n", "3\n"),
        CLEAN.replace("9\n00", "\ufeff9\n\ufeff00").replace("-->", "\u202a-->\u202c"),
        CLEAN.replace("00:00:", "\uff10\uff10\uff1a\uff10\uff10\uff1a").replace(",", "\uff0c").replace(">", "\uff1e"),
        CLEAN.replace("00:00:", "\u0660\u0660:\u0660\u0660:").replace("7\n", "\u0667\n").replace("8\n", "\u0668\n"),
        CLEAN.replace("-->", "\u2014>"),
        CLEAN.replace("-->", "\u2192"),
        CLEAN.replace("-->", "-- &gt;"),
        CLEAN.replace(" --> ", "==>"),
        CLEAN.replace("-->", "->").replace("8\n", "").replace("9\n", "").replace("7\n", ""),
        CLEAN.replace(" --> ", "  "),
        CLEAN.replace("-->", "\u2013"),
        CLEAN.replace(" --> ", ",").replace("00:00:0", "0:00:0").replace(",000", ".000"),
        CLEAN.replace("\n00:", " 00:"),
        CLEAN.replace("00:00:01", "-00:00:01"),
    ],
)  # fmt: skip
def test_corrupted_srt_is_read(text: str) -> None:
    """Line ends converted twice, spaces in times, invisible marks, digits and arrows of other keyboards, no arrow."""
    assert cues(text) == TEXT_CUES


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ("00:00:04,000 --> 00:00:01,000", (4000, 9000)),
        ("00:00:04,000 --> 00:00:04,000", (4000, 9000)),
        ("-00:00:04,000 --> 00:00:05,000", (4000, 5000)),
        ("-00:00:04,000 --> -00:00:05,000", (4000, 5000)),
        ("-01:00:01,000 --> 00:00:05,000", (0, 5000)),
    ],
)
def test_impossible_times_are_corrected(times: str, expected: tuple[int, int]) -> None:
    """A cue that ends before it begins gets a usual duration; a sign applies to the hours, as in FFmpeg."""
    assert [(start, stop) for start, stop, _, _ in cues(f"1\n{times}\nx\n")] == [expected]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("00:00:01,000 --> 00:00:02,000\n\nOne\n\n1984\n\n00:00:03,000 --> 00:00:04,000\n\n12\n", ["One\n1984", "12"]),
        ("00:00:01,000 --> 00:00:02,000\nOne\n2\n00:00:03,000 --> 00:00:04,000\nTwo\n00:00:05,000 --> 00:00:06,000\nx",
         ["One\n2", "Two", "x"]),
        ("5\n00:00:01,000 --> 00:00:02,000\nOne\n6\n\n6\n00:00:03,000 --> 00:00:04,000\n6\n", ["One\n6", "6"]),
        ("1\n00:00:01,000 --> 00:00:02,000\nIt is\n00:00:03\nin the morning, 12:30 - 13:00\n",
         ["It is\n00:00:03\nin the morning, 12:30 - 13:00"]),
    ],
)  # fmt: skip
def test_numbers_and_times_in_the_text_stay(text: str, expected: list[str]) -> None:
    assert [result for _, _, result, _ in cues(text)] == expected


@pytest.mark.parametrize(
    ("text", "expected", "settings"),
    [
        ("plain", "plain", ""),
        ("<i>slanted</i>", "<i>slanted</i>", ""),
        ("<I>CAPITAL</I>", "<i>CAPITAL</i>", ""),
        ("<em>a</em> <strong>b</strong>", "<i>a</i> <b>b</b>", ""),
        ("<b><i>crossed</b> over</i>", "<b><i>crossed</i></b><i> over</i>", ""),
        ("<i>never closed", "<i>never closed</i>", ""),
        ("never opened</i>", "never opened", ""),
        ('<font color="#ff0000" face="x">red</font>', "red", ""),
        ("<font color=red><b>both</b></font>", "<b>both</b>", ""),
        ("one<br>two<br/>three", "one\ntwo\nthree", ""),
        ("a < b && c > d", "a &lt; b &amp;&amp; c &gt; d", ""),
        ("a <- b --> c", "a &lt;- b --&gt; c", ""),
        ("<sighs> Well.", "&lt;sighs&gt; Well.", ""),
        ("I <3 you", "I &lt;3 you", ""),
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;", ""),
        ("Tom &amp; Jerry &lt;3 &#8217;", "Tom &amp; Jerry &lt;3 \u2019", ""),
        ("AT&T; &copy; &#0; &#xD800; &#99999999;", "AT&amp;T; &amp;copy;   &amp;#99999999;", ""),
        ("&lt;i&gt;not a tag&lt;/i&gt;", "&lt;i&gt;not a tag&lt;/i&gt;", ""),
        ("{\\an8}On top", "On top", "line:0"),
        ("{\\a6}old", "old", ""),
        ("{\\an7\\i1}corner{\\i0}", "<i>corner</i>", "line:0 position:5% align:left"),
        ("{\\an5}middle", "middle", "line:50%"),
        ("{\\fad(100,200)\\pos(1,2)}shown", "shown", ""),
        ("{y:i}of MicroDVD", "of MicroDVD", ""),
        ("{braces} stay", "{braces} stay", ""),
        ("{<i>braces</i>}", "{<i>braces</i>}", ""),
        ("a\x00b\x1bc\ufeffd\u0085e", "abcde", ""),
        ("end \n \n\t\nof it  ", "end\nof it", ""),
        ("\u05e9\u05dc\u05d5\u05dd\u200f!", "\u05e9\u05dc\u05d5\u05dd\u200f!", ""),
    ],
)
def test_markup_of_srt_is_converted(text: str, expected: str, settings: str) -> None:
    assert from_srt(text) == (expected, settings)


# --- WebVTT ---------------------------------------------------------------------------------------------

VTT = """\
WEBVTT - with a title

NOTE
a comment --
of two lines

STYLE
::cue(.loud) { color: red }

STYLE
@import url(https://example.org/x.css);
::cue { color: blue }

REGION
id:low
width:40%
lines:3
madeup:1

intro
00:01.000 --> 00:02.000 align:middle line:-1 region:low onclick:x
<v Fred &amp; Co>Hi, <c.loud.very>there</c> & <00:01.500>you

NOTE another

00:00:03.000 --> 00:00:04.000 position:200% size:50% region:none
<b>Bold <script>plain</b></v> 1 < 2 {braces}
"""


def test_a_webvtt_file_is_cleaned() -> None:
    subtitles = parse_webvtt(VTT)
    assert "".join(webvtt(subtitles.cues, subtitles.preface)) == (
        "WEBVTT\n"
        "\nSTYLE\n::cue(.loud) { color: red }\n"
        "\nREGION\nid:low\nwidth:40%\nlines:3\n"
        "\n00:00:01.000 --> 00:00:02.000 align:center line:-1 region:low\n"
        "<v Fred &amp; Co>Hi, <c.loud.very>there</c> &amp; <00:01.500>you</v>\n"
        "\n00:00:03.000 --> 00:00:04.000 size:50%\n"
        "<b>Bold plain</b> 1 &lt; 2 {braces}\n"
    )


@pytest.mark.parametrize(
    "style",
    [
        "::cue { background: url(http://example.org/) }",
        "::cue { background: u\\72l(http://example.org/) }",
        "@import 'http://example.org/';\n::cue { color: red }",
        "::cue { background: image-set('x' 1x) }",
        "</style><script>::cue</script>",
        "body { display: none }",
    ],
)
def test_a_style_that_could_load_something_is_left_out(style: str) -> None:
    subtitles = parse_webvtt(f"WEBVTT\n\nSTYLE\n{style}\n\n00:01.000 --> 00:02.000\nx\n")
    assert subtitles.preface == []
    assert [cue.text for cue in subtitles.cues] == ["x"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<c.yellow.bg_black>x</c>", "<c.yellow.bg_black>x</c>"),
        ("<ruby>\u6f22<rt>kan</rt></ruby>", "<ruby>\u6f22<rt>kan</rt></ruby>"),
        ("<lang en-GB>Hello</lang>", "<lang en-GB>Hello</lang>"),
        ("<v.loud Mary>x", "<v.loud Mary>x</v>"),
        ("<i foo=bar>x</i>", "<i>x</i>"),
        ("<c.a<b>x", "&lt;c.a<b>x</b>"),
        ("<99:99.000>x", "&lt;99:99.000&gt;x"),
        ("&nbsp;", ""),
        ("a&nbsp;b", "a\xa0b"),
    ],
)
def test_markup_of_webvtt_is_cleaned(text: str, expected: str) -> None:
    assert from_vtt(text) == expected


# --- ASS ------------------------------------------------------------------------------------------------

HEAD = r"""[Script Info]
ScriptType: v4.00+
PlayResY: 720
[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, Bold, Italic, Alignment, MarginL, MarginR, MarginV
Style: Default,Arial,40,&H00FFFFFF,0,0,2,10,10,10
Style: Thought,Arial,40,&H00FFFFFF,0,-1,2,10,10,10
Style: Sign,Arial,40,&H00FFFFFF,-1,0,8,10,10,10
[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
"""


@pytest.mark.parametrize(
    ("style", "text", "expected", "settings"),
    [
        ("Default", "plain", "plain", ""),
        ("Unknown", "plain", "plain", ""),
        ("Default", r"one\Ntwo\nthree\hfour", "one\ntwo\nthree\xa0four", ""),
        ("Default", r"{\i1}a{\i0} {\b700}b{\b} {\u1}c", "<i>a</i> <b>b</b> <u>c</u>", ""),
        ("Default", r"{\i1}a{\b1}b{\i0}c", "<i>a<b>b</b></i><b>c</b>", ""),
        ("Thought", r"all {\i0}but{\i} this", "<i>all </i>but<i> this</i>", ""),
        ("Thought", r"a{\r}b{\rDefault}c", "<i>ab</i>c", ""),
        ("Sign", "Bakery", "<b>Bakery</b>", "line:0"),
        ("Default", r"{\an8}top", "top", "line:0"),
        ("Default", r"{\a6}top as SSA says it", "top as SSA says it", "line:0"),
        ("Default", r"{\pos(640,100)}high", "high", "line:0"),
        ("Default", r"{\pos(640,400)}middle", "middle", "line:50%"),
        ("Default", r"{\move(640,700,640,100)}from below", "from below", ""),
        ("Default", r"{\pos(1,nan)\pos()\pos(}x", "x", ""),
        ("Default", r"{\k20}ka{\kf30}ra{\ko15}o{\K9}ke", "karaoke", ""),
        ("Default", r"{\p1}m 0 0 l 100 0 100 100{\p0}after", "after", ""),
        ("Default", r"{\p1}m 0 0 l 100 0", "", ""),
        (
            "Default",
            r"{\bord2\blur3\be1\iclip(1,2,3,4)\pbo5\alpha&HFF&}nothing of that",
            "nothing of that",
            "",
        ),
        ("Default", r"{\t(0,500,\i1\fscx120)}moves", "moves", ""),
        ("Default", r"{a comment}said{another \i1}", "said", ""),
        ("Default", r"1 < 2 & {unclosed", "1 &lt; 2 &amp; {unclosed", ""),
        ("Default", "commas, are, text", "commas, are, text", ""),
    ],
)
def test_ass_events_are_converted(style: str, text: str, expected: str, settings: str) -> None:
    cue_list = ass_cues(f"{HEAD}Dialogue: 0,0:00:01.00,0:00:02.50,{style},,0,0,0,,{text}\n")
    assert [(cue.start, cue.stop, cue.text, cue.settings) for cue in cue_list] == [
        (1000, 2500, expected, settings)
    ]


def test_ssa_is_read() -> None:
    script = (
        "[Script Info]\nScriptType: v4.00\n[V4 Styles]\nFormat: Name, Italic, Alignment\nStyle: Default,0,6\n"
        "[Events]\nFormat: Marked, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n"
        "Comment: Marked=0,0:00:01.00,0:00:02.00,*Default,,0,0,0,,not said\n"
        "Dialogue: Marked=0,0:00:01.00,0:00:02.00,*Default,,0,0,0,,said, on top\n"
    )
    assert ass_cues(script) == [Cue(1000, 2000, "said, on top", "line:0")]


def test_ass_layers_with_the_same_text_are_one_cue() -> None:
    lines = "".join(
        f"Dialogue: {layer},0:00:0{second}.00,0:00:0{second + 1}.00,Default,,0,0,0,,{{\\blur{second}}}Sign\n"
        for second in range(1, 5)
        for layer in (0, 1)
    )
    assert ass_cues(HEAD + lines) == [Cue(1000, 5000, "Sign")]


def test_overlapping_cues_stay_and_order_is_by_start() -> None:
    cue_list = as_webvtt(
        [Cue(3000, 4000, "b"), Cue(1000, 9000, "a"), Cue(3000, 3500, "c"), Cue(5000, 5000, "none")]
    )
    assert read(cue_list) == [(1000, 9000, "a"), (3000, 3500, "c"), (3000, 4000, "b")]


def test_repeated_text_with_a_gap_stays_two_cues() -> None:
    assert merge_repeated([Cue(0, 1, "a"), Cue(5, 6, "a")]) == [Cue(0, 1, "a"), Cue(5, 6, "a")]


def test_cues_without_an_end_get_one() -> None:
    assert with_missing_ends([Cue(0, 0, "a"), Cue(1000, 1000, "b"), Cue(9000, 9500, "c")]) == [
        Cue(0, 1000, "a"), Cue(1000, 6000, "b"), Cue(9000, 9500, "c")
    ]  # fmt: skip


@pytest.mark.parametrize("alignment", [None, *range(12)])
def test_settings_are_valid(alignment: int | None) -> None:
    line = f"WEBVTT\n\n00:00.000 --> 00:01.000 {settings_of(alignment)}\nx"
    assert parse_webvtt(line).cues[0].settings == settings_of(alignment)


# --- Any text ----------------------------------------------------------------------------------

PARSERS: list[Callable[[str], list[Cue]]] = [srt_cues, ass_cues, lambda text: parse_webvtt(text).cues]

shreds = st.lists(
    st.sampled_from(
        ["1\n", "\n", "\n\n", "00:00:01,000 --> 00:00:02,000", "00:01.000 --> 00:02.000 line:0", " --> ", "-->", "->",
         "<i>", "</i>", "<b", "<v a&b>", "<c.x.y>", "</c>", "<", ">", "&", "&amp;", "&#10;", "&#x2028;", "{\\i1}", "{\\p1}",
         "{\\an8}", "{", "}", "\\N", "NOTE", "STYLE\n::cue{", "REGION\nid:a\n", "WEBVTT", "\r", "\x00", "\u2028", "\x0b", "\x85",
         "Dialogue: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,", "[Events]\n", "text", "é", "日本", "\ud800", "99:99:99,999", " "]
    ),
    max_size=40,
).map("".join)  # fmt: skip


@given(st.one_of(shreds, st.text(max_size=80)), st.sampled_from(PARSERS))
def test_no_text_breaks_the_file(text: str, parse: Callable[[str], list[Cue]]) -> None:
    read(as_webvtt(parse(text)))
    read(as_webvtt(parse(f"1\n00:00:01,000 --> 00:00:02,000\n{text}\n\n00:03.000 --> 00:04.000\nlast\n")))
    one_line = " ".join(text.split("\n"))
    read(as_webvtt(parse(f"[Events]\nDialogue: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,{one_line}")))


@given(st.text(max_size=200))
def test_plain_text_of_srt_is_unchanged(text: str) -> None:
    """Text without markup is the same when it is read like in a browser."""
    words = "".join(letter for letter in text if letter.isalnum() or letter in " ,.!?'")
    cue_list, _ = from_srt(words)
    assert cue_list == ("" if not words.strip() else words.rstrip())


@given(shreds)
def test_cleaning_webvtt_twice_changes_nothing(text: str) -> None:
    once = parse_webvtt(f"WEBVTT\n\n00:01.000 --> 00:02.000\n{text}\n")
    first = "".join(webvtt(once.cues, once.preface))
    second = parse_webvtt(first)
    assert "".join(webvtt(second.cues, second.preface)) == first


MANY = 250_000
"""Characters: enough to make quadratic time many times longer than that of a usual file."""

USUAL = "".join(
    f"{number}\n00:{number // 60:02}:{number % 60:02},000 --> 00:{number // 60:02}:{number % 60:02},900\n"
    f"Somebody <i>says</i> something {number}\n\n"
    for number in range(3600)
)[:MANY]


def many(part: str) -> str:
    return part * (MANY // len(part))


@pytest.mark.parametrize(
    "text",
    [
        many("1\n00:00:01,000 --> 00:00:02,000\nx\n\n"),
        "1\n00:00:01,000 --> 00:00:02,000\n" + many("<"),
        "1\n00:00:01,000 --> 00:00:02,000\n" + many("<i>"),
        "1\n00:00:01,000 --> 00:00:02,000\n" + many("<a"),
        "1\n00:00:01,000 --> 00:00:02,000\n" + many("{\\t("),
        "1\n00:00:01,000 --> 00:00:02,000\n" + "{\\i" + many("("),
        "1\n00:00:01,000 --> 00:00:02,000\n" + many("\n") + "end",
        many("00:") + " --> ",
        many(" ") + "-->" + many(" "),
        "[Events]\n" + many("Dialogue: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,{\\i1}x\n"),
        "[Events]\nDialogue: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,," + many("{\\b1}"),
        "[V4+ Styles]\n" + "Format: " + many("a,"),
        "WEBVTT\n\nSTYLE\n" + many("::cue{"),
        "WEBVTT\n\n" + many("REGION\nid:a\n\n") + "00:01.000 --> 00:02.000\nx",
    ],
    ids=lambda text: repr(text[-12:]),
)
def test_hostile_text_takes_little_time(text: str) -> None:
    """It takes hardly longer than the same number of characters of a usual file."""
    assert 0.9 * MANY < len(text) < 2.1 * MANY
    assert len(USUAL) == MANY

    def parse_all(text: str) -> list[Cue]:
        return [cue for parse in PARSERS for cue in parse(text)]

    assert all(len(cue.text) < 10 * MAX_TEXT_LENGTH for cue in parse_all(text))
    assert_costs(3, lambda: parse_all(text), lambda: parse_all(USUAL))
