"""Videos as HLS and DASH, from a real server: ffmpeg decodes the same from them as from the files."""

import random
from bisect import bisect_right
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from itertools import accumulate, pairwise
from pathlib import Path
from xml.etree import ElementTree as ET

import httpx
import m3u8
import pytest

from tests.depth import large
from tests.playback.decoding import HIDDEN_SECONDS, Frames, decode, renditions
from tests.playback.specimens import COPIED, REMUXED, SPECIMENS, Specimen
from tests.support import Server
from trio_stream.mp4.boxes import Box, read_boxes
from trio_stream.mp4.reading.movie import read_movie

MILLISECOND = 0.001


@dataclass(frozen=True)
class Film:
    """A video of the server: its tracks by ffmpeg's specifiers, each with the name of its rendition."""

    specimen: Specimen
    path: Path
    url: str
    tracks: dict[str, str]
    client: httpx.Client

    def playlist(self, name: str) -> m3u8.M3U8:
        return m3u8.loads(self.client.get(f"{self.url}/{name}.m3u8").text)

    def get(self, path: str) -> bytes:
        response = self.client.get(f"{self.url}/{path}")
        assert response.status_code == 200
        return response.content


@pytest.fixture(scope="session")
def film(cinema: Server, addresses: dict[str, str], films: Path) -> Iterator[Callable[[Specimen], Film]]:
    """Finds a video."""
    with cinema.client() as client:

        @cache
        def look(specimen: Specimen) -> Film:
            url = cinema.url + addresses[specimen.name]
            names = renditions(client.get(f"{url}/master.m3u8").text)
            return Film(specimen, films / specimen.file, url, names, client)

        yield look


@pytest.fixture(scope="session")
def truth() -> Callable[[Film], dict[str, Frames]]:
    """What ffmpeg decodes from the file, by track."""
    cached: dict[str, dict[str, Frames]] = {}

    def look(film: Film) -> dict[str, Frames]:
        if film.specimen.name not in cached:
            tracks = list(film.tracks)
            frames = decode(film.path, tracks, zero=film.specimen.suffix == "ts")
            cached[film.specimen.name] = dict(zip(tracks, frames, strict=True))
        return cached[film.specimen.name]

    return look


LARGE = frozenset({"two-hours", "mov-alac-mono", "mov-ac3", "mov-mp3", "quicktime-22k"})
"""Videos that are tested only in thorough runs; there are two others in QuickTime."""

each_film = pytest.mark.parametrize(
    "specimen",
    [
        large(specimen, id=specimen.name)
        if specimen.name in LARGE
        else pytest.param(specimen, id=specimen.name)
        for specimen in SPECIMENS
    ],
)


def _marks(specimen: Specimen, manifest: str) -> tuple[pytest.MarkDecorator, ...]:
    quick = specimen.name not in LARGE and (manifest == "master.m3u8" or specimen.name in IN_DASH)
    return () if quick else (pytest.mark.thorough("large"),)


IN_DASH = ("b-frames", "fragmented", "two-sounds", "late-pictures", "mkv-b-frames")
"""Videos that are decoded by their DASH manifest in a quick run. It lists the segments of the HLS playlists (see below),
by which all videos are decoded."""


@pytest.mark.parametrize(
    ("specimen", "manifest"),
    [
        pytest.param(specimen, manifest, id=f"{specimen.name}-{manifest}", marks=_marks(specimen, manifest))
        for specimen in SPECIMENS
        for manifest in ("master.m3u8", "manifest.mpd")
    ],
)
def test_all_segments_decode_like_the_file(
    film: Callable[[Specimen], Film],
    truth: Callable[[Film], dict[str, Frames]],
    specimen: Specimen,
    manifest: str,
) -> None:
    """The same frames and audio samples, each presented at its time in the file, to the millisecond."""
    found = film(specimen)
    expected = truth(found)
    decoded = decode(f"{found.url}/{manifest}", list(expected), apart=manifest == "manifest.mpd")
    for (track, was), now in zip(expected.items(), decoded, strict=True):
        assert now.hashes == was.hashes, (track, len(now.hashes), len(was.hashes))
        assert now.times == pytest.approx(was.times, abs=MILLISECOND), track


# --- Segment by segment ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Fragment:
    """The header of a segment: decode time and duration, in its timescale; in seconds, the presentation times of its
    frames, the longest usual frame duration, and the end of the last frame."""

    sequence: int
    decoded: int
    duration: int
    timescale: int
    shown: tuple[float, ...]
    longest: float
    ends: float


def read_fragment(data: bytes, init: bytes) -> Fragment:
    moov = next(read_box for read_box in read_boxes(init) if read_box.kind == "moov")
    [track] = read_movie(moov.payload, len(init)).tracks
    skip = track.edits[0].media_time if track.edits else 0
    styp, moof, mdat = read_boxes(data)
    assert (styp.kind, moof.kind, mdat.kind) == ("styp", "moof", "mdat")
    _, _, fields = moof.get("mfhd").full()
    sequence = fields.u32()
    [traf] = [child for child in moof.children() if child.kind == "traf"]
    tfhd, tfdt, trun = traf.children()
    _, _, fields = tfdt.full()
    decoded = fields.number(8)
    durations, sizes, offsets = _run(tfhd, trun)
    assert sum(sizes) == len(mdat.payload)
    assert trun.full()[1] & 0x1
    _, _, fields = trun.full()
    fields.take(4)
    assert data[data.index(b"moof") - 4 :][fields.number(4, signed=True) :] == bytes(mdat.payload)
    times = accumulate(durations[:-1], initial=decoded)
    shown = tuple((at + offset - skip) / track.timescale for at, offset in zip(times, offsets, strict=True))
    # The first sample may be extended to its presentation time, and the last one to the end of another track.
    usual = durations[1:-1] or durations
    ends = max(at + duration / track.timescale for at, duration in zip(shown, durations, strict=True))
    return Fragment(
        sequence, decoded, sum(durations), track.timescale, shown, max(usual) / track.timescale, ends
    )


def _run(tfhd: Box, trun: Box) -> tuple[list[int], list[int], list[int]]:
    """Durations, sizes and composition offsets of all samples."""
    _, flags, fields = tfhd.full()
    fields.take(4)
    duration = fields.u32() if flags & 0x8 else 0
    size = fields.u32() if flags & 0x10 else 0
    _, flags, fields = trun.full()
    count = fields.u32()
    fields.take((4 if flags & 0x1 else 0) + (4 if flags & 0x4 else 0))
    durations, sizes, offsets = [duration] * count, [size] * count, [0] * count
    for number in range(count):
        if flags & 0x100:
            durations[number] = fields.u32()
        if flags & 0x200:
            sizes[number] = fields.u32()
        if flags & 0x400:
            fields.u32()
        if flags & 0x800:
            offsets[number] = fields.number(4, signed=True)
    assert fields.rest() == 0
    return durations, sizes, offsets


@each_film
def test_segments_are_consecutive_as_in_the_playlist(
    film: Callable[[Specimen], Film], specimen: Specimen
) -> None:
    found = film(specimen)
    targets = set()
    for name in found.tracks.values():
        playlist = found.playlist(name)
        [mapped] = playlist.segment_map
        init = found.get(mapped.uri)
        fragments = [read_fragment(found.get(segment.uri), init) for segment in playlist.segments]
        assert [fragment.sequence for fragment in fragments] == list(range(1, len(fragments) + 1))
        for before, after in pairwise(fragments):  # no gap and no overlap
            assert before.decoded + before.duration == after.decoded
        slack = MILLISECOND if specimen in REMUXED else 1e-5
        frame = max(fragment.longest for fragment in fragments)
        assert fragments[0].decoded == 0  # as players assume, whenever it is presented
        marks = list(accumulate(segment.duration for segment in playlist.segments))
        for fragment, mark in zip(fragments[1:], marks, strict=False):
            assert min(fragment.shown) == pytest.approx(mark, abs=frame + slack)
        end = max(fragment.ends for fragment in fragments)
        assert marks[-1] == pytest.approx(end, abs=slack)
        assert max(round(segment.duration) for segment in playlist.segments) <= playlist.target_duration
        targets.add(playlist.target_duration)
    assert len(targets) == 1


@each_film
def test_dash_lists_the_same_segments_at_the_same_times(
    film: Callable[[Specimen], Film], specimen: Specimen
) -> None:
    found = film(specimen)
    root = ET.fromstring(found.get("manifest.mpd"))
    templates = list(root.iter("{urn:mpeg:dash:schema:mpd:2011}SegmentTemplate"))
    assert len(templates) == len(found.tracks)
    for template, name in zip(templates, found.tracks.values(), strict=True):
        playlist = found.playlist(name)
        durations: list[float] = []
        for element in template.iter("{urn:mpeg:dash:schema:mpd:2011}S"):
            durations += [int(element.attrib["d"]) / int(template.attrib["timescale"])] * (
                int(element.get("r", 0)) + 1
            )
        assert durations == pytest.approx([segment.duration for segment in playlist.segments], abs=2e-6)
        uris = [template.attrib["media"].replace("$Number$", str(number)) for number in range(len(durations))]
        assert uris == [segment.uri for segment in playlist.segments]
        assert [template.attrib["initialization"]] == [item.uri for item in playlist.segment_map]


# --- Alone ----------------------------------------------------------------------------------------------


def between(frames: Frames, begin: float, end: float) -> dict[float, str]:
    """The frames presented in that time, by presentation time, to the millisecond."""
    pairs = zip(frames.times, frames.hashes, strict=True)
    return {round(at, 3): frame for at, frame in pairs if begin - MILLISECOND < at < end - MILLISECOND}


@pytest.mark.parametrize("seeks", [25, large(50)])
@pytest.mark.parametrize("specimens", [COPIED, REMUXED], ids=["copied", "remuxed"])
def test_single_segments_decode_like_their_part_of_the_video(
    film: Callable[[Specimen], Film],
    truth: Callable[[Film], dict[str, Frames]],
    specimens: tuple[Specimen, ...],
    seeks: int,
) -> None:
    """Seeks: the init segment and one other segment, and nothing before it."""
    chance = random.Random(6)
    places: list[tuple[Film, str, float]] = []
    for number in range(seeks):
        found = film(specimens[number % len(specimens)])
        places.append((found, chance.choice(list(found.tracks)), chance.random()))

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda place: _seek(place[0], place[1], place[2], truth(place[0])), places))


def _seek(film: Film, track: str, share: float, truth: dict[str, Frames]) -> None:
    playlist = film.playlist(film.tracks[track])
    init = film.get(playlist.segment_map[0].uri)
    marks = list(accumulate((segment.duration for segment in playlist.segments), initial=0.0))
    number = bisect_right(marks, share * marks[-1]) - 1
    data = film.get(playlist.segments[number].uri)
    fragment = read_fragment(data, init)
    label = f"{film.specimen.name}, {track}, segment {number}"
    # Frames shown before the keyframe of an open GOP need the previous segment; half an audio frame may be missing.
    begin = fragment.shown[0] if film.specimen.open and track == "v:0" else 0.0
    earlier = MILLISECOND if track == "v:0" else fragment.longest - MILLISECOND
    shown = sorted(max(begin, time) for time in fragment.shown if time > begin - earlier)
    if track == "v:0":
        shown = [one for one, other in pairwise([*shown, 1e9]) if other - one > HIDDEN_SECONDS]
    [frames] = decode(init + data, [track[:1] + ":0"])
    got = between(frames, begin, 1e9)
    assert len(got) == len(shown), label
    assert list(got) == pytest.approx(shown, abs=fragment.longest + MILLISECOND), label
    wanted = between(truth[track], min(got), max(got) + 2 * MILLISECOND)
    if track == "v:0":
        assert _equal_frames(got, wanted), label
    else:
        # Most audio decoders are in another state without the previous data: no sample is missing, and each is heard
        # at its time.
        following = list(got)[1:]  # Opus withholds a part of the first one
        assert following == pytest.approx(list(wanted)[-len(following) :], abs=2 * MILLISECOND), label
        if film.specimen.name == "flac":
            assert _equal_frames(got, wanted), label


def _equal_frames(one: dict[float, str], other: dict[float, str]) -> bool:
    """The same frames at the same times, up to rounding."""
    return list(one.values()) == list(other.values()) and list(one) == pytest.approx(
        list(other), abs=2 * MILLISECOND
    )


@pytest.mark.parametrize(
    "name",
    [
        "b-frames",
        "open-gops",
        "odd-keyframes",
        "fragmented",
        "keyframes-only",
        "one-keyframe",
        "hevc",
        "vp9-opus",
        "mkv-b-frames",
        "mkv-hevc",
        "webm-av1-opus",
        "webm-vp9-opus",
        "ts-b-frames",
        "mov-late-pictures",
    ],
)
def test_single_keyframes_decode_to_frames_of_the_video(
    film: Callable[[Specimen], Film], truth: Callable[[Film], dict[str, Frames]], name: str
) -> None:
    found = film(next(specimen for specimen in SPECIMENS if specimen.name == name))
    playlist = found.playlist(f"{found.tracks['v:0']}-keys")
    assert playlist.is_i_frames_only
    [frames] = decode(f"{found.url}/{found.tracks['v:0']}-keys.m3u8", ["v:0"])
    assert len(frames.hashes) == len(playlist.segments)
    cached = between(truth(found)["v:0"], 0, 1e9)
    marks = list(accumulate(segment.duration for segment in playlist.segments))
    assert list(frames.times[1:]) == pytest.approx(marks[:-1], abs=2 * MILLISECOND)
    for at, frame in zip(frames.times, frames.hashes, strict=True):
        assert frame in (
            cached.get(round(at, 3)),
            cached.get(round(at + MILLISECOND, 3)),
            cached.get(round(at - MILLISECOND, 3)),
        )
    assert playlist.segments[0].uri.endswith("/k0.m4s")
