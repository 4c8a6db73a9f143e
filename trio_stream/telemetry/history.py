"""The last ten minutes, one sample per second, in arrays of fixed size.

The version is the total number of samples so far. A late listener finds the newest sample, and the others in the
history.
"""

from array import array
from typing import NamedTuple

from trio_stream.versions import Versioned

LENGTH = 600
"""Number of samples: ten minutes."""


class Traffic(NamedTuple):
    """The traffic of the server: bytes of video sent since its start, and the number of running streams."""

    bytes_sent: int
    streams: int


class Sample(NamedTuple):
    """One sample. `time` is in milliseconds since the epoch, `cpu` in percent of one core, `memory` resident in bytes.

    `bytes_per_second` is the average number of bytes of video sent since the previous sample.
    """

    time: int
    cpu: float
    memory: int
    bytes_per_second: int
    streams: int


class Columns(NamedTuple):
    """The fields of samples as one list each, the oldest first."""

    times: list[int]
    cpu: list[float]
    memory: list[int]
    bytes_per_second: list[int]
    streams: list[int]


class History(Versioned):
    """The samples from `first` on, at most `length` of them. Listeners can wait for the next one."""

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
        """The newest sample, the same object until there is another one."""
        return self._newest

    def add(self, sample: Sample) -> None:
        """Add `sample`, replacing the oldest one if the history is full, and wake the listeners."""
        at = self.version % self._length
        self._times[at], self._cpu[at], self._memory[at], self._rates[at], self._streams[at] = sample
        self._newest = sample
        self.changed()

    def columns(self, *, without_newest: int = 0) -> Columns:
        """All samples except the newest `without_newest`."""
        last = self.version - without_newest
        first = max(0, self.version - self._length)
        numbers = range(first, max(first, last))
        return Columns(
            [self._times[number % self._length] for number in numbers],
            [self._cpu[number % self._length] for number in numbers],
            [self._memory[number % self._length] for number in numbers],
            [self._rates[number % self._length] for number in numbers],
            [self._streams[number % self._length] for number in numbers],
        )
