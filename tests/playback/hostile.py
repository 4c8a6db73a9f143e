"""All processing of an untrusted MP4 file, with checks of the results: a target of the fuzzer."""

import re
from types import ModuleType
from xml.etree import ElementTree as ET

from tests.mp4 import making
from tests.mp4.mutating import Node, parse
from tests.playback.specimens import specimens
from trio_stream.byte_ranges import ByteRanges
from trio_stream.errors import SourceUnreadable, Unpackageable
from trio_stream.http.bodies import body_length
from trio_stream.media.formats import codecs
from trio_stream.mp4 import boxes
from trio_stream.mp4.boxes import Malformed, read_boxes
from trio_stream.mp4.edits import timeline
from trio_stream.mp4.reading import fragmented, locating, movie, run_lengths, sample_entry, stbl, tables
from trio_stream.mp4.writing import fragments
from trio_stream.packaging import cutting, dash, from_mp4, hls, presentation, segments, title
from trio_stream.packaging.presentation import Presentation, Rendition
from trio_stream.packaging.title import Source, Subtitles, Title
from trio_stream.playback import indexes
from trio_stream.playback.indexes import Index, read_index

MODULES: tuple[ModuleType, ...] = (
    boxes, fragmented, fragments, locating, movie, run_lengths, sample_entry, stbl, tables, timeline, cutting, dash, hls,
    presentation, segments, title, from_mp4, indexes, codecs,
)  # fmt: skip

MAX_SEGMENTS = 4
MAX_RENDITIONS = 6
SUBTITLES = Subtitles("s-1", "r/x/subtitle-1.vtt", "en", "English")


def package(fd: int, size: int) -> object:
    """Read the index, write the manifests, and build some segments. Raises every unexpected exception."""
    try:
        index = read_index(fd, size)
    except (Unpackageable, SourceUnreadable) as error:
        return "refused", re.sub(r"\d+|\?", "#", str(error))[:100]
    found = index.presentation
    say(found)
    for rendition in found.renditions[:MAX_RENDITIONS]:
        _send(index, rendition, size)
    return tuple(
        (
            rendition.kind,
            rendition.codecs.split(".")[0],
            len(rendition.segments).bit_length(),
            index.tracks[rendition.name].samples.count.bit_length(),
        )
        for rendition in found.renditions[:MAX_RENDITIONS]
    )


def say(found: Presentation) -> None:
    """Manifests, and the bytes stored in the database."""
    title = Title((Source("", "r/x", found),), (SUBTITLES,))
    hls.master(title).encode()
    manifest = dash.manifest(title)
    if len(manifest) < 100_000:
        ET.fromstring(manifest)
    hls.subtitle_playlist("s-1", found, "r/x", title.target_duration).encode()
    stored = found.to_bytes()
    try:
        assert Presentation.from_bytes(stored) == found
    except ValueError:  # too large to be stored: it is computed again
        assert found.nbytes > 1 << 20
    for rendition in found.renditions:
        hls.media(rendition, "r/x", title.target_duration).encode()
        if rendition.keys is not None:
            hls.key_frames(rendition, rendition.keys, "r/x").encode()
        for listed in (rendition.segments, rendition.keys):
            if listed is not None:
                assert len(listed) >= 1
                assert len(listed.starts) == len(listed.samples) == len(listed.sizes) + 1
                assert all(
                    before <= after for before, after in zip(listed.starts, listed.starts[1:], strict=False)
                )


def _send(index: Index, rendition: Rendition, size: int) -> None:
    """An init segment, and some of its segments."""
    track = index.tracks[rendition.name]
    assert [read_box.kind for read_box in read_boxes(segments.init(track))] == ["ftyp", "moov"]
    listed = rendition.segments
    numbers = {*range(min(MAX_SEGMENTS, len(listed))), len(listed) - 1}
    ranges = [(number, listed.samples[number], listed.samples[number + 1]) for number in sorted(numbers)]
    if rendition.keys is not None:
        ranges += [(0, item, item + 1) for item in (rendition.keys.samples[0], rendition.keys.samples[-2])]
    for number, first, stop in ranges:
        assert 0 <= first < stop
        try:
            parts = segments.segment(track, first, stop, number, size)
        except Malformed:
            continue
        head, *rest = parts
        assert isinstance(head, bytes)
        assert body_length(parts) < len(head) + (1 << 40)
        for part in rest:
            assert isinstance(part, ByteRanges)
            for offset, length in part.ranges:
                assert offset >= 0
                assert length > 0
                assert offset + length <= size, "a read outside the file"
        kinds = [read_box.kind for read_box in read_boxes(head[: head.index(b"mdat") - 4])]
        assert kinds == ["styp", "moof"]


def seeds(*, made_by_ffmpeg: bool = True) -> list[list[Node]]:
    """Seed files: some written by hand, and those of the tests of packaging."""
    found = [parse(data) for data in _by_hand()]
    if made_by_ffmpeg:
        found += [parse(path.read_bytes()) for path in sorted(specimens().glob("*.mp4"))]
    return found


def _by_hand() -> list[bytes]:
    samples = tuple(
        making.Sample(3 + number % 9, 3000 + number % 2, 3000 * (number % 3), number % 12 == 0, number)
        for number in range(40)
    )
    track = making.TrackSpec(
        samples, (10,) * 4, edits=(making.Edit(100, -1), making.Edit(900, 3000)), dependencies=True
    )
    audio_track = making.TrackSpec(
        (making.Sample(9, 1024),) * 60,
        (6,) * 10,
        id=2,
        handler="soun",
        timescale=48_000,
        sizes="constant",
        elng="pt-BR",
    )
    films = [
        making.film(track, audio_track),
        making.film(making.TrackSpec(samples, (40,), sizes=8, large=True), last=False),
        making.film(making.TrackSpec(samples, (20, 20), sizes=4), audio_track, shift=3),
        making.film(making.TrackSpec(samples, (20, 20), sizes=16), audio_track, shift=3),
    ]
    opened = making.opening(track, audio_track)
    at = 0
    for first in range(0, 40, 10):
        opened += making.fragment(track, first, first + 10, first + 1, at, split=first + 4)
        opened += making.fragment(audio_track, first, first + 10, first + 2, first * 1024)
        at += sum(sample.duration for sample in samples[first : first + 10])
    return [*films, opened]
