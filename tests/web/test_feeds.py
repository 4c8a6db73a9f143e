"""What a WebSocket sends as fragmented MP4: video and audio of the same time, for any start and any cuts."""

import pytest

from tests.mp4.making import Edit, TrackSpec
from tests.packaging.making import audio_track, movie, video_track
from trio_stream.http.bodies import Part
from trio_stream.packaging import segments
from trio_stream.packaging.from_mp4 import present
from trio_stream.packaging.selection import packaged_tracks
from trio_stream.playback.indexes import Index
from trio_stream.web.api.feeds import FragmentFeed
from trio_stream.web.api.wire.messages import About

SIZE = 1 << 30
VIDEO = video_track(600, range(0, 600, 48))
LATE = audio_track(12, edits=(Edit(9000, -1), Edit(12_000, 0)))
"""Audio that starts at 9 s: its first segment lasts from 0 to 12."""


def index_of(*tracks: TrackSpec) -> Index:
    packaged = packaged_tracks(movie(*tracks))
    presentation = present(packaged)
    names = [rendition.name for rendition in presentation.renditions]
    return Index(SIZE, presentation, dict(zip(names, packaged, strict=True)))


def sent(index: Index, time: float) -> list[tuple[str, int]]:
    """The name and number of each segment that is sent for a start time, in order."""
    names_by_parts: dict[tuple[Part, ...], tuple[str, int]] = {}
    for track_id, rendition in enumerate(index.presentation.renditions, 1):
        for number in range(len(rendition.segments)):
            first, stop = rendition.segments.samples[number : number + 2]
            parts = segments.segment(index.tracks[rendition.name], first, stop, number, SIZE, track=track_id)
            names_by_parts[parts] = rendition.name[0], number
    feed = FragmentFeed.of({"time": str(time)}, index)
    _, *bodies = feed.bodies(feed.first)
    return [names_by_parts[parts] for parts in bodies]


def both(*numbers: int) -> list[tuple[str, int]]:
    return [(kind, number) for number in numbers for kind in "va"]


@pytest.mark.parametrize(("time", "first"), [(0, 0), (2, 1), (5.9, 1), (6, 2), (24.9, 5)])
def test_audio_and_video_with_the_same_cuts(time: float, first: int) -> None:
    assert sent(index_of(VIDEO, audio_track()), time) == both(*range(first, 6))


def test_audio_that_starts_late() -> None:
    index = index_of(VIDEO, LATE)
    assert [len(rendition.segments) for rendition in index.presentation.renditions] == [6, 3]
    begin = [("v", 0), ("a", 0), ("v", 1), ("v", 2)]
    then = [("v", 3), ("a", 1), ("v", 4), ("a", 2), ("v", 5)]
    assert sent(index, 0) == begin + then
    assert sent(index, 13) == then
    assert sent(index, 19) == then[2:]
    assert sent(index, 7) == [("v", 2), ("a", 0), *then]
    assert sent(index, 24.5) == [("v", 5), ("a", 2)]


def test_audio_that_is_longer_than_the_video() -> None:
    """The last frame stays on screen."""
    index = index_of(VIDEO, audio_track(50))
    rest = [("v", 5), *(("a", number) for number in range(5, 10))]
    assert sent(index, 0) == both(*range(5)) + rest
    assert sent(index, 45) == rest
    feed = FragmentFeed.of({"time": "45"}, index)
    started = feed.start(feed.first, About(size=SIZE, content_type="video/mp4", etag='"x"', chunk_size=1))
    assert (started.segment, started.segments, started.time) == (5, 6, 24)
    assert feed.end().segment == 6


def test_audio_without_video() -> None:
    index = index_of(audio_track(50))
    count = len(index.presentation.audio[0].segments)
    assert sent(index, 7) == [("a", number) for number in range(2, count)]
