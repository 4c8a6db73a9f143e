"""What the index of a large file says of it, so that it need not be read through.

Tables of QuickTime say everything but what is in the samples. Matroska's Cues name keyframes, of which some are looked
at: if they are where and what the index says, it is believed. Sizes are estimated then, by where the keyframes lie and
what the other tracks take at the beginning.
"""

import os
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from itertools import pairwise
from operator import itemgetter

import av.container
import av.error

from trio_stream.media.containers.keyframes import FREE_CLOCK
from trio_stream.media.formats.outline import KEYFRAME_LIMIT
from trio_stream.media.jobs import MediaFile
from trio_stream.media.remux.packets import first_shown
from trio_stream.media.remux.survey import Seen, Survey

TABLES = frozenset({"mov", "mp4", "3gp"})

READ_THROUGH = FREE_CLOCK | {"flv"}
"""Containers without an index, and one whose pictures are described anew wherever their coding changes."""

LOOK_BYTES = 16 << 20
"""How much of a file with an index is read at its beginning."""

TAIL_BYTES = 64 << 20
"""How much of it is read from its last keyframe on, to know when its tracks end."""

SAMPLES = 8
"""Keyframes of an index that are looked at."""


class Hollow(MediaFile):
    """A file that can be told to say nothing but zeros any more: who knows where samples lie need not read them."""

    def __init__(self, file: MediaFile) -> None:
        super().__init__(file.fd, file)
        self.hollow = False

    def read(self, size: int = -1, /) -> bytes:
        """At most `size` bytes. Raises `OSError`."""
        if not self.hollow or self.size is None or size < 0:
            return super().read(size)
        zeros = bytes(max(0, min(size, self.size - self.tell())))
        self.seek(len(zeros), os.SEEK_CUR)
        return zeros


class ContainerIndex:
    """Asks the index of `file`, which is open as `container`, named `name`, of which `survey` has read nothing yet."""

    def __init__(
        self, container: av.container.InputContainer, file: Hollow, survey: Survey, name: str
    ) -> None:
        self._container = container
        self._file = file
        self._survey = survey
        self._name = name
        self._duration = (container.duration or 0) / av.time_base

    def fill(self, late: float) -> bool:
        """Complete the survey, in so many seconds; False: this index cannot be believed, and the survey is spoilt."""
        if self._name in READ_THROUGH or self._survey.video is None:
            return False
        self._survey.read(LOOK_BYTES, late)
        try:
            return self._tables(late) if self._name in TABLES else self._cues(self._survey.video)
        except (av.error.FFmpegError, LookupError):
            return False

    def _tables(self, late: float) -> bool:
        tracks = self._survey.tracks.values()
        if not all(each.stream.frames for each in tracks):
            return False  # fragments: the tables lie among the samples
        self._file.hollow = True
        self._survey.read(1 << 62, late)
        ends = [each.latest * float(each.stream.time_base) for each in tracks if each.latest is not None]
        return self._survey.whole and max(ends, default=0) > self._duration - 1

    def _cues(self, video: int) -> bool:
        survey = self._survey
        stream = survey.tracks[video].stream
        rates = {index: _rate(seen) for index, seen in survey.tracks.items()}
        self._container.seek(0)  # they are read when they are wanted
        entries = [(each.timestamp, each.pos) for each in stream.index_entries if each.is_keyframe]
        every = max(1, -(-len(entries) // KEYFRAME_LIMIT))
        times, positions = [time for time, _ in entries[::every]], [at for _, at in entries[::every]]
        if not self._reach_the_end(times, float(stream.time_base)):
            return False
        seen = dict(zip(survey.times, survey.sizes, strict=True))
        starts, sizes = self._look_at(video, times)
        self._container.seek(times[-1], stream=stream)
        survey.finish(TAIL_BYTES)
        survey.times, survey.starts = times, starts
        survey.sizes = [size or seen.get(time) for time, size in zip(times, sizes, strict=True)]
        self._estimate(video, positions, rates)
        survey.whole = survey.estimated = True
        return True

    def _reach_the_end(self, times: Sequence[int], base: float) -> bool:
        """Whether keyframes are named from the beginning to the end, in order, as far as one can tell."""
        if len(times) < 2 or not self._duration or times[0] != self._survey.times[0]:
            return False
        widths = [after - before for before, after in pairwise(times)]
        return min(widths) > 0 and self._duration - times[-1] * base <= max(10.0, 2 * max(widths) * base)

    def _look_at(self, video: int, times: Sequence[int]) -> tuple[list[int | None], list[int | None]]:
        """When the groups of some keyframes start and how large these are, which shows that they are keyframes;
        `LookupError` if one is not."""
        stream = self._survey.tracks[video].stream
        starts: list[int | None] = [None] * len(times)
        sizes: list[int | None] = [None] * len(times)
        for number in {round(each * (len(times) - 1) / SAMPLES) for each in range(SAMPLES + 1)}:
            self._container.seek(times[number], stream=stream)
            packets = ((each.pts, each) for each in self._container.demux(stream) if each.pts is not None)
            shown, packet = next(packets, (None, None))
            if packet is None or not packet.is_keyframe or shown != times[number]:
                raise LookupError(number)
            sizes[number] = packet.size
            starts[number] = first_shown(shown, packets)
        return starts, sizes

    def _estimate(self, video: int, positions: Sequence[int], rates: Mapping[int, float]) -> None:
        times, pictures = self._survey.times, self._survey.tracks[video]
        base = float(pictures.stream.time_base)
        end = max(pictures.latest or 0, times[-1])
        lasting = [(after - before) * base for before, after in pairwise([*times, end])]
        rest = between(positions, times, (end, self._file.size or positions[-1]))
        for index, seen in self._survey.tracks.items():
            if index != video:
                seen.sizes = [round(rates[index] * each) for each in lasting]
                rest = [max(0, left - size) for left, size in zip(rest, seen.sizes, strict=True)]
        pictures.sizes = rest


def _rate(seen: Seen) -> float:
    """Bytes a second."""
    if seen.first is None or seen.latest is None or seen.latest <= seen.first:
        return 0.0
    return sum(seen.sizes) / ((seen.latest - seen.first) * float(seen.stream.time_base))


def between(positions: Sequence[int], times: Sequence[int], end: tuple[int, int]) -> list[int]:
    """Bytes between one keyframe and the next, and from the last to `end`, a time and a position.

    Several may have one position, that of the cluster they are in: its bytes are theirs by how long they last.
    """
    first_at: dict[int, int] = {}
    for position, time in zip(positions, times, strict=True):
        first_at.setdefault(position, time)
    points = [*((time, position) for position, time in first_at.items()), end]

    def place(time: int) -> int:
        number = min(bisect_right(points, time, key=itemgetter(0)), len(points) - 1)
        (before, low), (after, high) = points[number - 1], points[number]
        return low + (high - low) * (time - before) // max(1, after - before)

    return [max(0, high - low) for low, high in pairwise([*map(place, times), end[1]])]
