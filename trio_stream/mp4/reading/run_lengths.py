"""A value for each sample of a track, stored as runs: the time of one in half a million is found by a binary search."""

from array import array
from bisect import bisect_right
from collections.abc import Sequence
from functools import cached_property
from itertools import accumulate, chain
from operator import mul
from sys import byteorder


class Runs:
    """A value for each sample, as runs: `counts[i]` samples have `values[i]`."""

    def __init__(self, counts: "array[int]", values: "array[int]") -> None:
        self.counts = counts
        self.values = values

    @cached_property
    def starts(self) -> Sequence[int]:
        """The first sample of each run, followed by the number of samples."""
        if self.counts.count(1) == len(self.counts):
            return range(len(self.counts) + 1)
        return array("Q", accumulate(self.counts, initial=0))

    @property
    def constant(self) -> int | None:
        """The value, if all samples have the same one."""
        return self.values[0] if len(self.values) == 1 else None

    @property
    def negative(self) -> bool:
        """Whether any value is below 0. A video has a hundred thousand of them; only their first bytes are tested."""
        last = self.values.itemsize - 1 if byteorder == "little" else 0
        return not self.values.tobytes()[last :: self.values.itemsize].isascii()

    def run_of(self, sample: int) -> int:
        """The run of `sample`; after the end, the last one."""
        return bisect_right(self.starts, sample, 0, len(self.counts)) - 1

    def __getitem__(self, sample: int) -> int:
        if len(self.values) == 1:
            return self.values[0]
        return self.values[self.run_of(sample)]

    def of(self, samples: Sequence[int]) -> list[int]:
        """The value of each of these samples."""
        if len(self.values) == 1:
            return [self.values[0]] * len(samples)
        starts, values, runs = self.starts, self.values, len(self.counts)
        return [values[bisect_right(starts, sample, 0, runs) - 1] for sample in samples]

    def expand(self, first: int, stop: int) -> "array[int]":
        """The values of samples `first` to `stop`."""
        kind = self.values.typecode
        if len(self.values) == 1:
            return array(kind, self.values) * (stop - first)
        starts = self.starts
        run = self.run_of(first)
        last = self.run_of(stop - 1) if stop > first else run
        if isinstance(starts, range):
            found = self.values[first:stop]
            return found + self.values[-1:] * (stop - first - len(found))
        if run == last:
            return array(kind, (self.values[run],)) * (stop - first)
        lengths = self.counts[run : last + 1].tolist()
        lengths[0] = starts[run + 1] - first
        lengths[-1] = stop - max(first, starts[last])
        return array(kind, chain.from_iterable(map(mul, zip(self.values[run : last + 1]), lengths)))

    @property
    def nbytes(self) -> int:
        """Maximum memory use, in bytes."""
        return len(self.counts) * 16


class Durations(Runs):
    """The duration of each sample, and from them its decode time."""

    @property
    def nbytes(self) -> int:
        """Maximum memory use, in bytes."""
        return len(self.counts) * 24

    @cached_property
    def _times(self) -> "array[int]":
        lengths = (count * value for count, value in zip(self.counts, self.values, strict=True))
        return array("Q", accumulate(lengths, initial=0))

    def time(self, sample: int) -> int:
        """When `sample` is decoded; for the number of samples, the end."""
        if len(self.values) == 1:
            return sample * self.values[0]
        run = self.run_of(sample)
        return self._times[run] + (sample - self.starts[run]) * self.values[run]

    def times(self, samples: Sequence[int]) -> list[int]:
        """When each of these samples is decoded."""
        if len(self.values) == 1:
            return [sample * self.values[0] for sample in samples]
        starts, times, values, runs = self.starts, self._times, self.values, len(self.counts)
        numbers = [bisect_right(starts, sample, 0, runs) - 1 for sample in samples]
        return [
            times[run] + (sample - starts[run]) * values[run]
            for run, sample in zip(numbers, samples, strict=True)
        ]

    def at(self, time: int) -> int:
        """The first sample that is decoded at `time` or later; after the end, the number of samples."""
        if time <= 0:
            return 0
        count = self.starts[-1]
        if len(self.values) == 1:
            return min(-(-time // self.values[0]), count) if self.values[0] else count
        if time > self._times[-1]:
            return count
        run = min(bisect_right(self._times, time), len(self.counts)) - 1
        within, value = time - self._times[run], self.values[run]
        sample = self.starts[run] + (-(-within // value) if value else 0)
        # Runs of zero duration: the first of several samples at one time.
        while sample > 0 and self.time(sample - 1) >= time:
            sample = self.starts[self.run_of(sample - 1)]
        return sample

    def lasting(self, count: int, duration: int) -> "Durations":
        """The durations of the first `count` samples, with the last one changed to `duration`."""
        run = self.run_of(count - 1)
        before = count - 1 - self.starts[run]
        whole = run + (before > 0)
        counts, values = self.counts[:whole], self.values[:whole]
        if before:
            counts[run] = before
        counts.append(1)
        values.append(duration)
        return Durations(counts, values)


def runs_of(values: "array[int]") -> "tuple[array[int], array[int]]":
    """Merges equal neighbours into runs: their counts and values."""
    if len(values) == 0 or values.count(values[0]) == len(values):
        return array("I", (len(values),)), values[:1] or array(values.typecode, (0,))
    counts, run_values = array("I"), array(values.typecode)
    for value in values:
        if run_values and run_values[-1] == value:
            counts[-1] += 1
        else:
            counts.append(1)
            run_values.append(value)
    return counts, run_values
