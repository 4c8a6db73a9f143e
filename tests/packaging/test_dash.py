"""DASH manifests: their structure, and that they list the same segments as the playlists."""

import re
from fractions import Fraction
from itertools import accumulate, pairwise
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.packaging.making import REVISION, SOUND, audio, segments, title, video
from tests.packaging.test_hls import SMALLER, SUBTITLES, film
from trio_stream.packaging import dash, hls
from trio_stream.packaging.cutting import SCHEME
from trio_stream.packaging.presentation import Presentation, Rendition
from trio_stream.packaging.title import Source, Subtitles, Title

MPD = "{urn:mpeg:dash:schema:mpd:2011}"


def read(whole_title: Title) -> ET.Element:
    text = dash.manifest(whole_title)
    assert text.startswith('<?xml version="1.0" encoding="utf-8"?>\n')
    return ET.fromstring(text)


def sets(whole_title: Title) -> list[ET.Element]:
    return read(whole_title).findall(f"{MPD}Period/{MPD}AdaptationSet")


def test_the_structure_of_a_manifest() -> None:
    root = read(film())
    assert root.tag == f"{MPD}MPD"
    assert root.get("type") == "static"
    assert root.get("mediaPresentationDuration") == "PT16.021S"
    assert root.get("minBufferTime") == "PT4.000S"
    assert "urn:mpeg:dash:profile:isoff-live:2011" in (root.get("profiles") or "").split(",")
    assert [adaptation_set.get("contentType") for adaptation_set in sets(film())] == [
        "video",
        "audio",
        "audio",
        "audio",
        "text",
        "text",
        "text",
    ]
    ids = [adaptation_set.get("id") for adaptation_set in sets(film())]
    assert len(set(ids)) == len(ids)
    representations = [element.get("id") for element in root.iter(f"{MPD}Representation")]
    assert len(set(representations)) == len(representations)


ORDER = (
    "SupplementalProperty",
    "Label",
    "Role",
    "AudioChannelConfiguration",
    "BaseURL",
    "SegmentTemplate",
    "Representation",
)
"""The parts of the standard's schema that are written here (ISO/IEC 23009-1 sections 5.3.3 to 5.3.7)."""


def test_elements_have_the_order_of_the_schema() -> None:
    for element in read(title(video(video_range="PQ"), audio(label="Loud"), subtitles=SUBTITLES)).iter():
        kinds = [child.tag.removeprefix(MPD) for child in element]
        if kinds and set(kinds) <= set(ORDER):
            assert kinds == sorted(kinds, key=ORDER.index)


def test_video_tracks() -> None:
    found = sets(film())[0]
    assert (found.get("maxWidth"), found.get("maxHeight"), found.get("startWithSAP")) == ("1280", "720", "1")
    first, second = found.findall(f"{MPD}Representation")
    assert {
        name: first.get(name) for name in ("codecs", "bandwidth", "width", "height", "sar", "frameRate")
    } == {
        "codecs": "avc1.64001f",
        "bandwidth": str(video().bandwidth[0]),
        "width": "1280",
        "height": "720",
        "sar": "1:1",
        "frameRate": "24000/1001",
    }
    assert second.get("height") == "360"
    template = second.find(f"{MPD}SegmentTemplate")
    assert template is not None
    assert template.get("media") == f"../fedcba9876543210/r/{REVISION}/v1-{SCHEME}/$Number$.m4s"
    assert template.get("initialization") == f"../fedcba9876543210/r/{REVISION}/v1-{SCHEME}/init.mp4"
    assert template.get("startNumber") == "0"


def test_video_of_another_codec_has_its_own_adaptation_set() -> None:
    other = Source("../x/", "../x/r/y", Presentation((video(codecs="hvc1.2.4.L93.B0", height=480),)))
    kinds = [
        [element.get("codecs") for element in found.findall(f"{MPD}Representation")]
        for found in sets(title(video(), more=(other, SMALLER)))
    ]
    assert kinds == [["avc1.64001f", "avc1.640015"], ["hvc1.2.4.L93.B0"]]


@pytest.mark.parametrize(("written", "value"), [("SDR", None), ("PQ", "16"), ("HLG", "18")])
def test_transfers(written: str, value: str | None) -> None:
    found = sets(title(video(video_range=written)))[0].find(f"{MPD}SupplementalProperty")
    assert (found.get("value") if found is not None else None) == value


def test_open_gops() -> None:
    assert sets(title(video(independent=False)))[0].get("startWithSAP") == "3"


@pytest.mark.parametrize(
    ("rate", "written"), [(Fraction(25), "25"), (Fraction(30_000, 1001), "30000/1001"), (None, None)]
)
def test_frame_rates(rate: Fraction | None, written: str | None) -> None:
    [found] = sets(title(video(frame_rate=rate)))
    representation = found.find(f"{MPD}Representation")
    assert representation is not None
    assert representation.get("frameRate") == written


def test_audio_tracks() -> None:
    first, second, third = (
        adaptation_set for adaptation_set in sets(film()) if adaptation_set.get("contentType") == "audio"
    )
    representation = first.find(f"{MPD}Representation")
    assert representation is not None
    assert representation.get("audioSamplingRate") == "48000"
    assert representation.get("codecs") == "mp4a.40.2"
    channels = representation.find(f"{MPD}AudioChannelConfiguration")
    assert channels is not None
    assert channels.get("value") == "2"
    assert [period.get("lang") for period in (first, second, third)] == ["en"] * 3
    roles = [period.find(f"{MPD}Role") for period in (first, second, third)]
    assert [role.get("value") for role in roles if role is not None] == ["main", "alternate", "alternate"]
    assert third.findtext(f"{MPD}Label") == "Commentary"


def test_audio_urls_point_to_the_file_that_has_it() -> None:
    mute = Source("../m/", "../m/r/z", Presentation((video(height=1080),)))
    best = Source("../b/", "../b/r/y", Presentation((video(), audio("a7"))))
    own = Source("", "r/x", Presentation((video(height=360), audio())))
    [found] = [
        adaptation_set
        for adaptation_set in sets(Title((mute, best, own)))
        if adaptation_set.get("contentType") == "audio"
    ]
    template = found.find(f"{MPD}Representation/{MPD}SegmentTemplate")
    assert template is not None
    assert template.get("media") == f"../b/r/y/a7-{SCHEME}/$Number$.m4s"


@pytest.mark.parametrize(
    ("language", "written"),
    [("pt-BR", "pt-BR"), ("eng", "eng"), ("no language", None), ("", None), ("12", None), (None, None)],
)
def test_only_languages_of_the_standard_are_written(language: str | None, written: str | None) -> None:
    assert sets(title(video(), audio(language=language)))[1].get("lang") == written
    subtitles = (Subtitles("s-1", "w", language, "English"),)
    assert sets(title(video(), subtitles=subtitles))[1].get("lang") == written


def test_subtitles_are_whole_files() -> None:
    found = [adaptation_set for adaptation_set in sets(film()) if adaptation_set.get("contentType") == "text"]
    assert [item.findtext(f"{MPD}Representation/{MPD}BaseURL") for item in found] == [
        text.whole for text in SUBTITLES
    ]
    assert [item.findtext(f"{MPD}Label") for item in found] == ["English", "English 'SDH'", "Signs"]
    roles = [item.find(f"{MPD}Role") for item in found]
    assert [role.get("value") for role in roles if role is not None] == [
        "subtitle",
        "caption",
        "forced-subtitle",
    ]


def expand(rendition: Rendition) -> list[tuple[int, int]]:
    """Time and duration of each segment, as a player reads the timeline (section 5.3.9.6)."""
    whole_title = title(rendition)
    found: list[tuple[int, int]] = []
    at = 0
    for element in read(whole_title).iter(f"{MPD}S"):
        at = int(element.get("t", at))
        for _ in range(int(element.get("r", 0)) + 1):
            found.append((at, int(element.attrib["d"])))
            at += int(element.attrib["d"])
    return found


@given(
    st.lists(st.sampled_from([180_000, 180_001, 540_000]), min_size=1, max_size=30), st.integers(0, 1 << 50)
)
def test_timelines_match_the_playlists(durations: list[int], start: int) -> None:
    rendition = video(segments=segments(durations, [1] * len(durations), start))
    starts = list(accumulate(durations, initial=start))
    assert expand(rendition) == [(before, after - before) for before, after in pairwise(starts)]
    playlist = hls.media(rendition, f"r/{REVISION}", 6)
    template = next(read(title(rendition)).iter(f"{MPD}SegmentTemplate"))
    addresses = [
        template.attrib["media"].replace("$Number$", str(number)) for number in range(len(durations))
    ]
    assert re.findall(r"^[^#].*$", playlist, re.MULTILINE) == addresses
    assert f'#EXT-X-MAP:URI="{template.attrib["initialization"]}"' in playlist
    written = [float(duration) for duration in re.findall(r"#EXTINF:([0-9.]+)", playlist)]
    assert written == pytest.approx([duration / 90_000 for duration in durations], abs=2e-6)


def test_equal_durations_are_written_once() -> None:
    long = audio(segments=segments([6 * SOUND] * 1200, [1] * 1200))
    assert len(list(read(title(long)).iter(f"{MPD}S"))) == 1
    assert len(expand(long)) == 1200


@given(st.text(max_size=30), st.text(max_size=30))
def test_no_label_breaks_a_manifest(label: str, language: str) -> None:
    whole_title = title(
        video(), audio(label=label, language=language), subtitles=[Subtitles("s-1", "w", language, label)]
    )
    dash.manifest(whole_title).encode()
    assert len(sets(whole_title)) == 3
