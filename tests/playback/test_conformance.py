"""Packaged videos conform to the standards; and the checks find faults."""

import re
import struct
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from xml.etree import ElementTree as ET

import httpx
import pytest

from tests.media.making import make
from tests.media_cache import place
from tests.playback.conformance import check
from tests.playback.linting import MPD, lint_master, lint_media, lint_mpd
from tests.playback.specimens import AAC, SPECIMENS, X264, tone, video_source
from tests.support import Server, serving, wait_for

EVERYTHING = "Everything.288p"
NAMES = (
    *(specimen.file.removesuffix(".mp4") for specimen in SPECIMENS if specimen.name != "two-hours"),
    EVERYTHING,
)
"""Specimens that differ; the two-hour one would add nothing."""


class Reader:
    """What a server has below one video, each fetched once."""

    def __init__(self, client: httpx.Client, folder: str) -> None:
        self.get = cache(lambda path: client.get(f"{folder}/{path}"))

    def text(self, path: str) -> str:
        response = self.get(path)
        assert response.status_code == 200, path
        found: str = response.text
        return found

    def size(self, path: str) -> int:
        response = self.get(path)
        return len(response.content) if response.status_code == 200 else 0

    def within(self, playlist: str, path: str) -> int:
        """The size of a resource in a playlist: those of other files are elsewhere."""
        return self.size(f"{playlist.rpartition('/')[0]}/{path}".lstrip("/"))


@pytest.fixture(scope="module")
def library(films: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("conformance") / "videos"
    folder.mkdir()
    for specimen in SPECIMENS:
        if specimen.file.removesuffix(".mp4") in NAMES:
            place(films / specimen.file, folder / specimen.file)
    audio_tracks = f"{tone()} {tone(880)} -map 0 -map 1 -map 2"
    for lines, size in ((144, "256x144"), (288, "512x288")):
        film = f"Everything.{lines}p"
        make(
            folder / f"{film}.mp4",
            f"{video_source()} {audio_tracks} {X264} -g 24 -sc_threshold 0 {AAC} -s {size}",
        )
        (folder / f"{film}.en.srt").write_text("1\n00:00:01,000 --> 00:00:12,000\nA ball\n")
        (folder / f"{film}.de.forced.srt").write_text("1\n00:00:01,000 --> 00:00:12,000\nEin Ball\n")
    return folder


@pytest.fixture(scope="module")
def reader(library: Path) -> Iterator[Callable[[str], Reader]]:
    """Reads what a server has for a video."""
    with serving(library, library.parent, environ={"TRIO_STREAM_ARTWORK_SHARE": "0"}) as server:
        ids = wait_for(lambda: _recorded(server), 60, "the videos to be recorded")
        with server.client() as client:
            yield cache(lambda name: Reader(client, f"/api/videos/{ids[name]}"))


def _recorded(server: Server) -> dict[str, str] | None:
    items = server.get("/api/videos?limit=200").json()["items"]
    ids = {item["name"].removesuffix(".mp4"): item["id"] for item in items if item["state"] == "probed"}
    if not ids.keys() >= set(NAMES):
        return None
    subtitles = server.get(f"/api/videos/{ids[EVERYTHING]}").json()["subtitles"]
    return ids if len(subtitles) == 2 else None


@pytest.mark.parametrize("name", NAMES)
def test_segments(reader: Callable[[str], Reader], name: str) -> None:
    film = reader(name)
    master = film.text("master.m3u8")
    lists = re.findall(r'^(?!#)(\S+\.m3u8)$|URI="([^"]+\.m3u8)"', master, re.MULTILINE)
    checked = 0
    for uri in dict.fromkeys(one or other for one, other in lists):
        if uri.startswith("../") or "#EXT-X-MAP" not in (text := film.text(uri)):
            continue
        [init] = re.findall(r'#EXT-X-MAP:URI="([^"]+)"', text)
        segments = re.findall(r"^(?!#)(\S+)$", text, re.MULTILINE)
        faults = check(
            film.get(init).content,
            [film.get(segment).content for segment in segments],
            following="I-FRAMES-ONLY" not in text,
        )
        assert faults == [], uri
        checked += len(segments)
    assert checked


@pytest.mark.parametrize("name", NAMES)
def test_playlists_and_manifest(reader: Callable[[str], Reader], name: str) -> None:
    film = reader(name)
    assert lint_master(film.text("master.m3u8"), film.text, film.within) == []
    assert lint_mpd(film.text("manifest.mpd"), film.size) == []


# --- Faults are found -----------------------------------------------------------------------------------


def number(data: bytes, kind: bytes, at: int, add: int) -> bytes:
    """The bytes with `add` added to the 32-bit number `at` bytes after the name of the first such box."""
    place = data.index(kind) + 4 + at
    [was] = struct.unpack_from(">I", data, place)
    return data[:place] + struct.pack(">I", (was + add) % (1 << 32)) + data[place + 4 :]


def renamed(kind: bytes, to: bytes) -> Callable[[bytes], bytes]:
    return lambda data: data.replace(kind, to, 1)


def added(kind: bytes, at: int, add: int = 1) -> Callable[[bytes], bytes]:
    return lambda data: number(data, kind, at, add)


@pytest.mark.parametrize(
    ("spoil", "fault"),
    [
        (lambda data: data + b"\0\0", "2 bytes at the end are not a box"),
        (lambda data: data + b"\0\0\0\x08free", "free is not allowed there"),
        (lambda data: data[:-1], "moov: its size"),
        (renamed(b"cmfc", b"cmfx"), "brand missing: cmfc"),
        (lambda data: data.replace(b"iso6", b"iso5", 1), "the major brand is not a compatible"),
        (renamed(b"mvex", b"free"), "moov: no mvex"),
        (renamed(b"vmhd", b"smhd"), "smhd: 12 bytes are the wrong size"),
        (renamed(b"vide", b"soun"), "the wrong media header"),
        (renamed(b"avcC", b"free"), "no avcC"),
        (renamed(b"avc1", b"xvc1"), "xvc1 is unknown"),
        (renamed(b"elst", b"free"), "moov/trak/edts: no elst"),
        (added(b"mvhd", 16), "mvhd: a duration is stated"),
        (added(b"tkhd", 20), "tkhd: a duration is stated"),
        (added(b"mdhd", 16), "mdhd: a duration is stated"),
        (added(b"tkhd", 0, -1), "the track is not enabled"),
        (added(b"tkhd", 12, 9), "next_track_ID is already used"),
        (added(b"mdhd", 12, -12288), "no timescale"),
        (added(b"tkhd", 76, -(128 << 16)), "the video has no size"),
        (added(b"vmhd", 0, -1), "vmhd: the flags are not 1"),
        (added(b"stsd", 4), "more or less than one description"),
        (added(b"stts", 4), "stts: it lists samples"),
        (added(b"stsz", 8), "stsz: it lists samples"),
        (added(b"trex", 4), "trex: it refers to another track"),
        (added(b"elst", 4), "elst: it has more or less than one edit"),
        (added(b"elst", 12), "elst: the edit has an end"),
        (lambda data: data.replace(b"video\0", b"video!"), "the name is not terminated"),
        (
            lambda data: data.replace(b"avc1\0\0\0\0\0\0\0\x01", b"avc1\0\0\0\0\0\0\0\x02"),
            "another data reference",
        ),
    ],
)
def test_a_fault_of_an_init_segment_is_found(
    reader: Callable[[str], Reader], spoil: Callable[[bytes], bytes], fault: str
) -> None:
    init, _ = _parts(reader("b-frames"))
    assert any(fault in item for item in check(spoil(init), [])), check(spoil(init), [])


@pytest.mark.parametrize(
    ("spoil", "fault"),
    [
        (lambda data: data + b"\0", "1 bytes at the end are not a box"),
        (lambda data: data + b"\0\0\0\x08mdat", "mdat is not allowed there"),
        (renamed(b"cmfs", b"cmfx"), "the major brand"),
        (renamed(b"msdh", b"msdx"), "brand missing: msdh"),
        (renamed(b"tfdt", b"free"), "moof/traf: no tfdt"),
        (renamed(b"trun", b"free"), "moof/traf: no trun"),
        (added(b"mfhd", 4), "mfhd: number 2 after 0"),
        (added(b"tfhd", 0, -0x20000), "default-base-is-moof"),
        (added(b"tfhd", 0, 2), "the number of fields does not match"),
        (added(b"tfhd", 4), "tfhd: it refers to another track"),
        (added(b"tfdt", 0, -(1 << 24)), "tfdt: version 1"),
        (added(b"tfdt", 8), "segment 1: tfdt"),
        (added(b"trun", 8), "which is not the start of mdat"),
        (added(b"trun", 4), "trun: "),
        (added(b"trun", 0, -1), "not version 1 with an offset"),
        (added(b"trun", 16), "bytes in mdat of"),
    ],
)
def test_a_fault_of_a_segment_is_found(
    reader: Callable[[str], Reader], spoil: Callable[[bytes], bytes], fault: str
) -> None:
    init, segments = _parts(reader("b-frames"))
    assert check(init, segments) == []
    found = check(init, [spoil(segments[0]), *segments[1:]])
    assert any(fault in item for item in found), found


def _parts(film: Reader) -> tuple[bytes, list[bytes]]:
    text = film.text("v1.m3u8")
    [init] = re.findall(r'#EXT-X-MAP:URI="([^"]+)"', text)
    return film.get(init).content, [
        film.get(uri).content for uri in re.findall(r"^r/\S+", text, re.MULTILINE)
    ]


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        (r"#EXTM3U\n", "", "EXTM3U is not the first line"),
        (r"\n", "\r\n", "line endings are wrong"),
        (r"VERSION:7", "VERSION:3", "EXT-X-VERSION is less"),
        (r"#EXT-X-TARGETDURATION.*\n", "", "no EXT-X-TARGETDURATION"),
        (r"TARGETDURATION:\d+", "TARGETDURATION:2", "is less than the"),
        (r"(#EXT-X-TARGETDURATION.*\n)", r"\1\1", "occurs more than once"),
        (r"#EXT-X-ENDLIST\n", "", "no EXT-X-ENDLIST"),
        (r"VOD", "EVENT", "is not VOD"),
        (r"#EXTINF.*\n", "", "do not alternate"),
        (r"#EXTINF:2\.0*,", "#EXTINF:two,", "has no duration"),
        (r"#EXTINF:2\.0*,", "#EXTINF:0.000000,", "a segment has no duration"),
        (r"#EXT-X-MAP.*\n", "", "EXT-X-MAP does not occur once"),
        (r'MAP:URI="', "MAP:URI=", "not a list of attributes"),
        (r"MAP:URI", "MAP:URL", "no URI"),
        (r"0\.m4s", "99.m4s", "nothing is at"),
        (r"/1\.m4s", "/0.m4s", "a URI occurs twice"),
        (r"#EXT-X-MAP", "#EXT-X-I-FRAMES-ONLY\n#EXT-X-MAP", "I-FRAMES-ONLY is wrong"),
        (r"#EXT-X-MAP", "#EXT-X-STREAM-INF:BANDWIDTH=1\n#EXT-X-MAP", "is not allowed there"),
        (r"#EXT-X-ENDLIST\n", "#EXT-X-ENDLIST\n#EXTINF:1,\nx\n", "data follow EXT-X-ENDLIST"),
    ],
)
def test_a_fault_of_a_media_playlist_is_found(
    reader: Callable[[str], Reader], old: str, new: str, fault: str
) -> None:
    film = reader(EVERYTHING)
    text = film.text("v1.m3u8")
    assert lint_media(text, film.size) == []
    found = lint_media(re.sub(old, new, text), film.size)
    assert any(fault in item for item in found), found


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        (r'GROUP-ID="audio0"', 'GROUP-ID="other"', "no group"),
        (r',AUDIO="audio0"', "", "no stream uses the group"),
        (r'(NAME)="Audio 2"', r'\1="Audio 1"', "a NAME occurs twice"),
        (r"DEFAULT=NO", "DEFAULT=YES", "more than one DEFAULT"),
        (r"DEFAULT=YES,AUTOSELECT=YES", "DEFAULT=YES,AUTOSELECT=NO", "not AUTOSELECT"),
        (r",mp4a.40.2", "", "CODECS lacks the audio codec"),
        (r'CODECS="[^"]*",', "", "no CODECS"),
        (r"RESOLUTION=\d+x\d+,", "", "RESOLUTION without video"),
        (r"RESOLUTION=(\d+)x", r"RESOLUTION=\1*", "RESOLUTION cannot be"),
        (r"(?<!E-)BANDWIDTH=\d+", "BANDWIDTH=9000", "less than the peak"),
        (r"(?<!E-)BANDWIDTH=", "BANDWIDTH=9", "much more than the peak"),
        (r"AVERAGE-BANDWIDTH=\d+", "AVERAGE-BANDWIDTH=5000", "and the average"),
        (r"FRAME-RATE=[\d.]+", "FRAME-RATE=fast", "FRAME-RATE cannot be"),
        (r"VIDEO-RANGE=SDR", "VIDEO-RANGE=HDR", "VIDEO-RANGE cannot be"),
        (r"CHANNELS=", "CHANNEL=", "CHANNEL is unknown"),
        (r"TYPE=AUDIO", "TYPE=AUDIO,TYPE=AUDIO", "TYPE occurs twice"),
        (r"TYPE=AUDIO", "FORCED=NO,TYPE=AUDIO", "FORCED is only for subtitles"),
        (r"\nv1.m3u8", "", "URIs do not alternate"),
        (r"#EXT-X-MEDIA", "#EXT-X-ENDLIST\n#EXT-X-MEDIA", "is not allowed there"),
    ],
)
def test_a_fault_of_a_master_playlist_is_found(
    reader: Callable[[str], Reader], old: str, new: str, fault: str
) -> None:
    film = reader(EVERYTHING)
    found = lint_master(re.sub(old, new, film.text("master.m3u8")), film.text, film.within)
    assert any(fault in item for item in found), found


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (
            lambda text: text.replace("TARGETDURATION:6", "TARGETDURATION:9"),
            "EXT-X-TARGETDURATION has several values",
        ),
        (lambda text: text.replace("#EXT-X-INDEPENDENT-SEGMENTS\n", ""), "not all segments are independent"),
    ],
)
def test_inconsistent_playlists_are_found(
    reader: Callable[[str], Reader], change: Callable[[str], str], fault: str
) -> None:
    film = reader(EVERYTHING)
    text = film.text("master.m3u8")
    found = lint_master(
        text, lambda uri: change(film.text(uri)) if uri == "v1.m3u8" else film.text(uri), film.within
    )
    assert any(fault in item for item in found), found


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        (r"</MPD>", "", "invalid XML"),
        (r"mpd:2011", "mpd:2010", "it is not an MPD"),
        (r' profiles="[^"]*"', "", "no profiles"),
        (r'profiles="[^"]*"', 'profiles="full"', "a profile is not a valid name"),
        (r' minBufferTime="[^"]*"', "", "no minBufferTime"),
        (r'Duration="PT13', 'Duration="PT19', "it lasts 19.0"),
        (r'Duration="PT', 'Duration="', "is not a duration"),
        (r'AdaptationSet id="1"', 'AdaptationSet id="0"', "an id of AdaptationSet occurs twice"),
        (r' bandwidth="\d+"', "", "no bandwidth"),
        (r' bandwidth="\d+"', ' bandwidth="1"', "bandwidth is less than"),
        (r'codecs="[^"]*" ', "", "no codecs"),
        (r"(<Role [^>]*>)(\s*)(<Representation.*?</Representation>)", r"\3\2\1", "out of order"),
        (r"<S d=", "<S e=", "S: no d"),
        (r'<S d="\d+" />(?!.*<S d="\d+" />.*</SegmentTemplate>)', "", "lacks segments"),
        (r"/init.mp4", "/none.mp4", "the init segment is missing"),
        (r"\$Number\$", "x$Number$", "nothing is at"),
    ],
)
def test_a_fault_of_a_manifest_is_found(
    reader: Callable[[str], Reader], old: str, new: str, fault: str
) -> None:
    film = reader("b-frames")
    text = film.text("manifest.mpd")
    found = lint_mpd(re.sub(old, new, text, flags=re.DOTALL), film.size)
    assert any(fault in item for item in found), found


def test_a_truncated_manifest_is_found(reader: Callable[[str], Reader]) -> None:
    film = reader("b-frames")
    root = ET.fromstring(film.text("manifest.mpd"))
    last = [*root.iter(f"{MPD}S")][-1]
    last.set("d", "1")
    found = lint_mpd(ET.tostring(root, encoding="unicode"), film.size)
    assert any("a timeline ends before" in item for item in found), found
