"""The samples of a track: how long, how large, where in the file, and which can be decoded by themselves.

A film of two hours has half a million samples, so nothing here is an object for each: a table is an array as the file
has it, in the machine's byte order, and what a playlist needs (times of keyframes, sums of sizes) comes out of it
without expanding it. Samples are counted from 0; times are in units of the track's timescale.
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

TOGETHER = 1024
"""Samples of which the bytes are summed up where chunks have more: a file may have all its sound in one."""


@dataclass(frozen=True, slots=True)
class Chunks:
    """Where samples lie: `offsets` of chunks in the file; from chunk `firsts[i]` (counted from 1, as files do) on
    each has `lengths[i]` samples, the first of them being `samples[i]`."""

    offsets: "array[int]"
    firsts: "array[int]"
    lengths: "array[int]"
    samples: "array[int]"


@dataclass(frozen=True, slots=True)
class SampleTable:
    """All samples of a track.

    `sizes` is one number where all are equally large. `compositions` are the offsets from decoding to presentation,
    None where there are none. `sync` are the samples that can be decoded by themselves, None: all. `dependencies` has
    a byte for each sample, as in `sdtp` (section 8.6.4). `sums` is what `sums_of` the sizes and chunks is.
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
        """From its decoding to its presentation."""
        return self.compositions[sample] if self.compositions is not None else 0

    def shown_at(self, sample: int) -> int:
        """When it is presented, in media time."""
        return self.durations.time(sample) + self.composition(sample)

    def all_shown_at(self, samples: Sequence[int]) -> list[int]:
        """When each of these samples is presented, in media time."""
        decoded = self.durations.times(samples)
        return (
            decoded if self.compositions is None else list(map(add, decoded, self.compositions.of(samples)))
        )

    def is_sync(self, sample: int) -> bool:
        """Whether it can be decoded by itself."""
        if self.sync is None:
            return True
        found = bisect_left(self.sync, sample)
        return found < len(self.sync) and self.sync[found] == sample

    def sync_within(self, first: int, stop: int) -> Sequence[int]:
        """The samples of `first` to `stop` that can be decoded by themselves."""
        if self.sync is None:
            return range(first, stop)
        return self.sync[bisect_left(self.sync, first) : bisect_left(self.sync, stop)]

    def has_leading(self, key: int) -> bool:
        """Whether pictures behind `key` are presented before it: its group of pictures is open.

        Such pictures come right behind it, before all others (ITU-T H.265 section 8.3.1 asks for it, encoders of H.264
        do it).
        """
        if self.compositions is None or key + 1 >= self.count:
            return False
        offsets = self.compositions.of(range(key, min(key + 3, self.count)))
        first, second = self.durations.of((key, key + 1))
        return offsets[1] + first < offsets[0] or (
            len(offsets) > 2 and offsets[2] + first + second < offsets[0]
        )

    def earliest(self, first: int, stop: int) -> int:
        """The earliest presentation among the samples of `first` to `stop`, which begin a group of pictures."""
        if self.compositions is None:
            return self.durations.time(first)
        return min(self.shown_at(each) for each in range(first, max(first + 1, min(stop, first + REORDERED))))

    def bytes_of(self, first: int, stop: int) -> int:
        """How many bytes samples `first` to `stop` are together."""
        if isinstance(self.sizes, int):
            return self.sizes * (stop - first)
        if self.sums is None or stop - first < 2 * TOGETHER:
            return sum(self.sizes[first:stop])
        low, high = -(-first // TOGETHER), stop // TOGETHER
        whole = self.sums[high] - self.sums[low]
        return sum(self.sizes[first : low * TOGETHER]) + whole + sum(self.sizes[high * TOGETHER : stop])

    def expand_sizes(self, first: int, stop: int) -> "array[int]":
        """The sizes of samples `first` to `stop`."""
        if isinstance(self.sizes, int):
            return array("I", (self.sizes,)) * (stop - first)
        return self.sizes[first:stop]

    def offsets(self) -> "array[int]":
        """Where each sample lies in the file."""
        found = array("Q")
        offsets, bounds = self._pieces(0, self.count)
        for offset, (first, stop) in zip(offsets, pairwise(bounds), strict=True):
            found.extend(accumulate(self.expand_sizes(first, stop - 1), initial=offset))
        return found

    def byte_ranges(self, first: int, stop: int, size: int | None = None) -> tuple[ByteRange, ...]:
        """Where the bytes of samples `first` to `stop` lie, in their order; what lies together is one range.

        Raises `Malformed` where that is behind the end of a file of `size` bytes.
        """
        offsets, bounds = self._pieces(first, stop)
        lengths = self._lengths(bounds)
        ends = list(map(add, offsets, lengths))
        if size is not None and max(ends, default=0) > size:
            raise Malformed("moov/trak/mdia/minf/stbl", "samples lie behind the end of the file")
        if 0 not in lengths and not any(map(eq, ends, offsets[1:])):
            return tuple(zip(offsets, lengths, strict=True))  # as it is where sound lies between the pictures
        return tuple(join(zip(offsets, lengths, strict=True)))

    def _pieces(self, first: int, stop: int) -> tuple[list[int], list[int]]:
        """The parts of chunks that these samples are: the offset of each, and its first sample; then `stop`."""
        chunks, count = self.chunks, len(self.chunks.samples)
        starts, firsts, lengths, places = chunks.samples, chunks.firsts, chunks.lengths, chunks.offsets
        entry = bisect_right(starts, first) - 1
        offsets: list[int] = []
        bounds: list[int] = []
        sample = first
        while sample < stop:  # once for each entry of `stsc`: sound has many
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
        """How many bytes the samples from each of `bounds` to the next are, which ascend."""
        first, stop = bounds[0], bounds[-1]
        if isinstance(self.sizes, int):
            before: Sequence[int] = range(0, (stop - first + 1) * self.sizes, self.sizes)
        elif len(bounds) > stop - first:
            return self.sizes[first:stop].tolist()  # one in each, as pictures have sound between them
        else:
            before = list(accumulate(self.sizes[first:stop], initial=0))
        sums = [before[bound - first] for bound in bounds]
        return list(map(sub, sums[1:], sums))

    @property
    def nbytes(self) -> int:
        """Memory it takes, in bytes, within some."""
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
        plain = sum(len(each) * each.itemsize for each in arrays if isinstance(each, array))
        plain += len(self.dependencies or b"")
        return (
            plain + self.durations.nbytes + (self.compositions.nbytes if self.compositions is not None else 0)
        )


def sums_of(sizes: "int | array[int]", chunks: Chunks) -> "array[int] | None":
    """How many bytes come before each `TOGETHER` samples; None where no chunk is that long, or all are equally large.

    Where a sample lies in its chunk is the sum of those before it, and somebody waits for it.
    """
    if isinstance(sizes, int) or max(chunks.lengths, default=0) <= TOGETHER:
        return None
    parts = (sum(sizes[first : first + TOGETHER]) for first in range(0, len(sizes), TOGETHER))
    return array("Q", accumulate(parts, initial=0))


def is_ascending(values: "array[int]") -> bool:
    """Whether each is larger than the one before."""
    return all(map(lt, values, values[1:]))
