"""The samples of a track: how long, how large, where in the file, and which are sync samples.

A two-hour video has half a million samples, so there is no object for each: a table is an array as in the file, in the
machine's byte order, and what a playlist needs (times of keyframes, sums of sizes) is computed without expanding it.
Samples are counted from 0; times are in units of the track's timescale.
Source: ISO/IEC 14496-12 sections 8.6 and 8.7.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from operator import add, eq, lt, sub

from trio_stream.byte_ranges import ByteRange, join
from trio_stream.mp4.boxes import Malformed
from trio_stream.mp4.reading.run_lengths import Durations, Runs
from trio_stream.mp4.reordering import REORDERED

SUM_BLOCK = 1024
"""Number of samples whose sizes are summed up in advance if chunks have more: a file may have all its audio in one."""


@dataclass(frozen=True, slots=True)
class Chunks:
    """Where samples are: `offsets` of chunks in the file. From chunk `firsts[i]` (counted from 1, as in files) on, each
    has `lengths[i]` samples, and the first of these samples is `samples[i]`."""

    offsets: "array[int]"
    firsts: "array[int]"
    lengths: "array[int]"
    samples: "array[int]"


@dataclass(frozen=True, slots=True)
class SampleTable:
    """All samples of a track.

    `sizes` is one number if all are equal. `compositions` are the composition offsets, from decoding to presentation;
    None means there are none. `sync` are the sync samples, which can be decoded without others; None means all.
    `dependencies` has a byte for each sample, as in `sdtp` (section 8.6.4). `sums` comes from `sums_of`.
    """

    count: int
    sizes: "int | array[int]"
    durations: Durations
    compositions: Runs | None
    sync: "array[int] | None"
    chunks: Chunks
    dependencies: bytes | None = None
    sums: "array[int] | None" = None

    @property
    def end(self) -> int:
        """The time at which the last sample ends."""
        return self.durations.time(self.count)

    def composition(self, sample: int) -> int:
        """The composition offset of a sample: from decoding to presentation."""
        return self.compositions[sample] if self.compositions is not None else 0

    def shown_at(self, sample: int) -> int:
        """When a sample is presented, in media time."""
        return self.durations.time(sample) + self.composition(sample)

    def all_shown_at(self, samples: Sequence[int]) -> list[int]:
        """When each of these samples is presented, in media time."""
        decoded = self.durations.times(samples)
        return (
            decoded if self.compositions is None else list(map(add, decoded, self.compositions.of(samples)))
        )

    def is_sync(self, sample: int) -> bool:
        """Whether it is a sync sample."""
        if self.sync is None:
            return True
        found = bisect_left(self.sync, sample)
        return found < len(self.sync) and self.sync[found] == sample

    def sync_within(self, first: int, stop: int) -> Sequence[int]:
        """The sync samples among `first` to `stop`."""
        if self.sync is None:
            return range(first, stop)
        return self.sync[bisect_left(self.sync, first) : bisect_left(self.sync, stop)]

    def has_leading(self, key: int) -> bool:
        """Whether frames after the keyframe `key` are presented before it: its GOP is open.

        Such frames come directly after it, before all others (ITU-T H.265 section 8.3.1 requires it, and H.264
        encoders do it).
        """
        if self.compositions is None or key + 1 >= self.count:
            return False
        offsets = self.compositions.of(range(key, min(key + 3, self.count)))
        first, second = self.durations.of((key, key + 1))
        return offsets[1] + first < offsets[0] or (
            len(offsets) > 2 and offsets[2] + first + second < offsets[0]
        )

    def earliest(self, first: int, stop: int) -> int:
        """The earliest presentation time among samples `first` to `stop`, which begin with a keyframe."""
        if self.compositions is None:
            return self.durations.time(first)
        return min(
            self.shown_at(sample) for sample in range(first, max(first + 1, min(stop, first + REORDERED)))
        )

    def bytes_of(self, first: int, stop: int) -> int:
        """The total bytes of samples `first` to `stop`."""
        if isinstance(self.sizes, int):
            return self.sizes * (stop - first)
        if self.sums is None or stop - first < 2 * SUM_BLOCK:
            return sum(self.sizes[first:stop])
        low, high = -(-first // SUM_BLOCK), stop // SUM_BLOCK
        whole = self.sums[high] - self.sums[low]
        return sum(self.sizes[first : low * SUM_BLOCK]) + whole + sum(self.sizes[high * SUM_BLOCK : stop])

    def expand_sizes(self, first: int, stop: int) -> "array[int]":
        """The sizes of samples `first` to `stop`."""
        if isinstance(self.sizes, int):
            return array("I", (self.sizes,)) * (stop - first)
        return self.sizes[first:stop]

    def offsets(self) -> "array[int]":
        """The file offset of each sample."""
        found = array("Q")
        offsets, bounds = self._chunk_parts(0, self.count)
        for offset, (first, stop) in zip(offsets, pairwise(bounds), strict=True):
            found.extend(accumulate(self.expand_sizes(first, stop - 1), initial=offset))
        return found

    def byte_ranges(self, first: int, stop: int, size: int | None = None) -> tuple[ByteRange, ...]:
        """Where the bytes of samples `first` to `stop` are, in their order; adjacent samples form one range.

        Raises `Malformed` if one is beyond the end of a file of `size` bytes.
        """
        offsets, bounds = self._chunk_parts(first, stop)
        lengths = self._lengths(bounds)
        ends = list(map(add, offsets, lengths))
        if size is not None and max(ends, default=0) > size:
            raise Malformed("moov/trak/mdia/minf/stbl", "samples are beyond the end of the file")
        if 0 not in lengths and not any(map(eq, ends, offsets[1:])):
            return tuple(zip(offsets, lengths, strict=True))  # the usual case of interleaved audio and video
        return tuple(join(zip(offsets, lengths, strict=True)))

    def _chunk_parts(self, first: int, stop: int) -> tuple[list[int], list[int]]:
        """Splits these samples at chunk boundaries: the offset of each part, and its first sample; then `stop`."""
        chunks, count = self.chunks, len(self.chunks.samples)
        starts, firsts, lengths, places = chunks.samples, chunks.firsts, chunks.lengths, chunks.offsets
        entry = bisect_right(starts, first) - 1
        offsets: list[int] = []
        bounds: list[int] = []
        sample = first
        while sample < stop:  # once for each entry of `stsc`: audio has many
            per, base = lengths[entry], starts[entry]
            chunk, within = divmod(sample - base, per)
            begin = sample - within
            entry += 1
            limit = min(starts[entry], stop) if entry < count else stop
            chunk += firsts[entry - 1] - 1
            offsets += places[chunk : chunk - (begin - limit) // per]
            bounds.append(sample)
            bounds += range(begin + per, limit, per)
            if within:
                offsets[0] += self.bytes_of(begin, first)
            sample = limit
        bounds.append(stop)
        return offsets, bounds

    def _lengths(self, bounds: list[int]) -> list[int]:
        """The total bytes of the samples between each two of the ascending `bounds`."""
        first, stop = bounds[0], bounds[-1]
        if isinstance(self.sizes, int):
            before: Sequence[int] = range(0, (stop - first + 1) * self.sizes, self.sizes)
        elif len(bounds) > stop - first:
            return self.sizes[first:stop].tolist()  # one sample in each part: interleaved video
        else:
            before = list(accumulate(self.sizes[first:stop], initial=0))
        sums = [before[bound - first] for bound in bounds]
        return list(map(sub, sums[1:], sums))

    @property
    def nbytes(self) -> int:
        """Approximate memory use, in bytes."""
        chunks = self.chunks
        arrays = (
            self.sizes,
            self.sums,
            self.sync,
            chunks.offsets,
            chunks.firsts,
            chunks.lengths,
            chunks.samples,
        )
        plain = sum(len(column) * column.itemsize for column in arrays if isinstance(column, array))
        plain += len(self.dependencies or b"")
        return (
            plain + self.durations.nbytes + (self.compositions.nbytes if self.compositions is not None else 0)
        )


def sums_of(sizes: "int | array[int]", chunks: Chunks) -> "array[int] | None":
    """The bytes before each `SUM_BLOCK` samples; None if no chunk is longer than that, or all sizes are equal.

    The offset of a sample in its chunk is the sum of the sizes before it; computing it must not keep a client waiting.
    """
    if isinstance(sizes, int) or max(chunks.lengths, default=0) <= SUM_BLOCK:
        return None
    parts = (sum(sizes[first : first + SUM_BLOCK]) for first in range(0, len(sizes), SUM_BLOCK))
    return array("Q", accumulate(parts, initial=0))


def is_ascending(values: "array[int]") -> bool:
    """Whether each is larger than the one before."""
    return all(map(lt, values, values[1:]))
