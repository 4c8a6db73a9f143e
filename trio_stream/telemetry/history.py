"""The last ten minutes, a sample a second: numbers in arrays whose size never changes, so they cost next to nothing.

The version is the number of samples there have ever been. Who comes late finds the newest sample, and the others in the
history.
"""

from array import array
from typing import NamedTuple

from trio_stream.versions import Versioned

LENGTH = 600
"""Samples that are kept: ten minutes of them."""


class Traffic(NamedTuple):
    """What the server has done: bytes of video sent since its start, streams that run now."""

    bytes_sent: int
    streams: int


class Sample(NamedTuple):
    """One moment: `time` in milliseconds since the epoch, `cpu` in percent of one core, `memory` resident, in bytes.

    `bytes_per_second` is the mean of the bytes of video sent since the sample before.
    """

    time: int
    cpu: float
    memory: int
    bytes_per_second: int
    streams: int


class Columns(NamedTuple):
    """The members of samples, each in a list of its own, the oldest first."""

    times: list[int]
    cpu: list[float]
    memory: list[int]
    bytes_per_second: list[int]
    streams: list[int]


class History(Versioned):
    """The `first` sample and those after it, at most `length`, and the means to wait until there is another one."""

    def __init__(self, first: Sample, length: int = LENGTH) -> None:
        super().__init__()
        self._length = length
        self._times = array("q", [0]) * length
        self._cpu = array("d", [0.0]) * length
        self._memory = array("q", [0]) * length
        self._rates = array("q", [0]) * length
        self._streams = array("q", [0]) * length
        self.add(first)

    @property
    def newest(self) -> Sample:
        """The last sample, the same object until there is another one."""
        return self._newest

    def add(self, sample: Sample) -> None:
        """Keep `sample`, in place of the oldest one if there is no room, and tell who waits."""
        at = self.version % self._length
        self._times[at], self._cpu[at], self._memory[at], self._rates[at], self._streams[at] = sample
        self._newest = sample
        self.changed()

    def columns(self, *, but: int = 0) -> Columns:
        """What is kept, without the newest `but` samples."""
        last = self.version - but
        first = max(0, self.version - self._length)
        turn = range(first, max(first, last))
        return Columns(
            [self._times[each % self._length] for each in turn],
            [self._cpu[each % self._length] for each in turn],
            [self._memory[each % self._length] for each in turn],
            [self._rates[each % self._length] for each in turn],
            [self._streams[each % self._length] for each in turn],
        )
