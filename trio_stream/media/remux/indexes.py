"""Use the index of a large file, so that the file need not be read completely.

The tables of QuickTime have everything except the content of the samples. Matroska's Cues list keyframes, of which some
are checked: if they are as the index says, it is trusted. Then sizes are estimated, from the positions of the keyframes
and from the bit rates of the other tracks at the beginning.
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
from trio_stream.media.remux.survey import Survey, TrackSurvey

WITH_TABLES = frozenset({"mov", "mp4", "3gp"})

READ_COMPLETELY = FREE_CLOCK | {"flv"}
"""Containers without an index, and FLV, whose video has a new description wherever its coding changes."""

HEAD_BYTES = 16 << 20
"""How much of a file with an index is read at its beginning."""

TAIL_BYTES = 64 << 20
"""How much of it is read from its last keyframe on, to find when its tracks end."""

CHECKED_KEYFRAMES = 8
"""Keyframes of an index that are checked."""


class ZeroableFile(MediaFile):
    """A file that can be switched to return zeros: if the tables say where samples are, they need not be read."""

    def __init__(self, file: MediaFile) -> None:
        super().__init__(file.fd, file)
        self.returns_zeros = False

    def read(self, size: int = -1, /) -> bytes:
        """Return at most `size` bytes. Raises `OSError`."""
        if not self.returns_zeros or self.size is None or size < 0:
            return super().read(size)
        zeros = bytes(max(0, min(size, self.size - self.tell())))
        self.seek(len(zeros), os.SEEK_CUR)
        return zeros


class ContainerIndex:
    """Fills `survey`, which has read nothing yet, from the index of `file`, open as `container`, named `name`."""

    def __init__(
        self, container: av.container.InputContainer, file: ZeroableFile, survey: Survey, name: str
    ) -> None:
        self._container = container
        self._file = file
        self._survey = survey
        self._name = name
        self._duration = (container.duration or 0) / av.time_base

    def fill(self, seconds: float) -> bool:
        """Complete the survey within that time; False: the index cannot be trusted, and the survey cannot be used."""
        if self._name in READ_COMPLETELY or self._survey.video is None:
            return False
        self._survey.read(HEAD_BYTES, seconds)
        try:
            return self._tables(seconds) if self._name in WITH_TABLES else self._cues(self._survey.video)
        except (av.error.FFmpegError, LookupError):
            return False

    def _tables(self, seconds: float) -> bool:
        tracks = self._survey.tracks.values()
        if not all(track.stream.frames for track in tracks):
            return False  # fragments: the tables are among the samples
        self._file.returns_zeros = True
        self._survey.read(1 << 62, seconds)
        ends = [track.latest * float(track.stream.time_base) for track in tracks if track.latest is not None]
        return self._survey.whole and max(ends, default=0) > self._duration - 1

    def _cues(self, video: int) -> bool:
        survey = self._survey
        stream = survey.tracks[video].stream
        rates = {index: _rate(track_survey) for index, track_survey in survey.tracks.items()}
        self._container.seek(0)  # makes FFmpeg read the Cues
        entries = [(entry.timestamp, entry.pos) for entry in stream.index_entries if entry.is_keyframe]
        every = max(1, -(-len(entries) // KEYFRAME_LIMIT))
        times, positions = [time for time, _ in entries[::every]], [at for _, at in entries[::every]]
        if not self._reaches_the_end(times, float(stream.time_base)):
            return False
        read_sizes = dict(zip(survey.times, survey.sizes, strict=True))
        starts, sizes = self._check_samples(video, times)
        self._container.seek(times[-1], stream=stream)
        survey.finish(TAIL_BYTES)
        survey.times, survey.starts = times, starts
        survey.sizes = [size or read_sizes.get(time) for time, size in zip(times, sizes, strict=True)]
        self._estimate(video, positions, rates)
        survey.whole = survey.estimated = True
        return True

    def _reaches_the_end(self, times: Sequence[int], base: float) -> bool:
        """Whether the keyframes seem to be listed in order, from the beginning to the end."""
        if len(times) < 2 or not self._duration or times[0] != self._survey.times[0]:
            return False
        widths = [after - before for before, after in pairwise(times)]
        return min(widths) > 0 and self._duration - times[-1] * base <= max(10.0, 2 * max(widths) * base)

    def _check_samples(self, video: int, times: Sequence[int]) -> tuple[list[int | None], list[int | None]]:
        """Return when the GOPs of some keyframes start and the sizes of these keyframes, None for the others.

        Raises `LookupError` if the index names a packet that is not a keyframe.
        """
        stream = self._survey.tracks[video].stream
        starts: list[int | None] = [None] * len(times)
        sizes: list[int | None] = [None] * len(times)
        for number in {
            round(sample * (len(times) - 1) / CHECKED_KEYFRAMES) for sample in range(CHECKED_KEYFRAMES + 1)
        }:
            self._container.seek(times[number], stream=stream)
            packets = ((read.pts, read) for read in self._container.demux(stream) if read.pts is not None)
            shown, packet = next(packets, (None, None))
            if packet is None or not packet.is_keyframe or shown != times[number]:
                raise LookupError(number)
            sizes[number] = packet.size
            starts[number] = first_shown(shown, packets)
        return starts, sizes

    def _estimate(self, video: int, positions: Sequence[int], rates: Mapping[int, float]) -> None:
        times, video_track = self._survey.times, self._survey.tracks[video]
        base = float(video_track.stream.time_base)
        end = max(video_track.latest or 0, times[-1])
        lengths = [(after - before) * base for before, after in pairwise([*times, end])]
        rest = bytes_between(positions, times, (end, self._file.size or positions[-1]))
        for index, track_survey in self._survey.tracks.items():
            if index != video:
                track_survey.sizes = [round(rates[index] * length) for length in lengths]
                rest = [max(0, left - size) for left, size in zip(rest, track_survey.sizes, strict=True)]
        video_track.sizes = rest


def _rate(track_survey: TrackSurvey) -> float:
    """Return the bytes per second of a track."""
    if track_survey.first is None or track_survey.latest is None or track_survey.latest <= track_survey.first:
        return 0.0
    return sum(track_survey.sizes) / (
        (track_survey.latest - track_survey.first) * float(track_survey.stream.time_base)
    )


def bytes_between(positions: Sequence[int], times: Sequence[int], end: tuple[int, int]) -> list[int]:
    """Return the bytes between one keyframe and the next, and from the last to `end`, a time and a position.

    Several may have the same position, that of their cluster; they share its bytes in proportion to their durations.
    """
    first_at: dict[int, int] = {}
    for position, time in zip(positions, times, strict=True):
        first_at.setdefault(position, time)
    points = [*((time, position) for position, time in first_at.items()), end]

    def position_at(time: int) -> int:
        number = min(bisect_right(points, time, key=itemgetter(0)), len(points) - 1)
        (before, low), (after, high) = points[number - 1], points[number]
        return low + (high - low) * (time - before) // max(1, after - before)

    return [max(0, high - low) for low, high in pairwise([*map(position_at, times), end[1]])]
