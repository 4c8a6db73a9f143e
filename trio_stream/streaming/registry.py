"""The registry of running streams. Every stream is in it, and can be ended through it."""

from collections import Counter
from dataclasses import dataclass

import structlog
import trio

from trio_stream.errors import StreamNotFound, TooManyStreams
from trio_stream.streaming.disk import Disk
from trio_stream.streaming.maps import MappedFile
from trio_stream.streaming.stream import Ending, Stream, StreamStatistics
from trio_stream.telemetry.rates import Rate


@dataclass(frozen=True, slots=True)
class RegistryStatistics:
    """Totals since the start, except `active`, the streams that run now. `bytes_per_second` is over the last ten
    seconds, and `ended` counts by ending."""

    active: int
    started: int
    refused: int
    ended: dict[Ending, int]
    bytes_sent: int
    chunks_sent: int
    bytes_per_second: float


class Registry:
    """All running streams: at most `limit`, and any number of `free` ones."""

    def __init__(self, limit: int, disk: Disk) -> None:
        self.limit = limit
        self._disk = disk
        self._streams: dict[str, Stream] = {}
        self._free: set[Stream] = set()
        self._started = 0
        self._refused = 0
        self._ended: Counter[Ending] = Counter()
        self._bytes_sent = 0
        self._chunks_sent = 0
        self._rate = Rate(window=10.0)
        self._log = structlog.get_logger("trio_stream.streams").bind()  # once, not for each line

    def admit(self, file: MappedFile, *, owner: str, name: str, transport: str, free: bool = False) -> Stream:
        """Return a new stream of `file`. The caller closes it, and holds the file until then.

        A `free` stream does not count against the limit. Raises `TooManyStreams`.
        """
        if not free and len(self._streams) - len(self._free) >= self.limit:
            self._refused += 1
            raise TooManyStreams(self.limit)
        stream = Stream(
            file,
            disk=self._disk,
            owner=owner,
            name=name,
            transport=transport,
            counted=self._count,
            closed=self._forget,
        )
        self._streams[stream.id] = stream
        if free:
            self._free.add(stream)
        self._started += 1
        return stream

    def end(self, stream_id: str, reason: str) -> None:
        """End one stream at once. Raises `StreamNotFound`."""
        stream = self._streams.get(stream_id)
        if stream is None:
            raise StreamNotFound(f"there is no stream {stream_id!r}")
        stream.end(Ending.STOPPED, reason)

    def snapshot(self) -> list[StreamStatistics]:
        """The running streams, the oldest first."""
        return [stream.statistics() for stream in self._streams.values()]

    def statistics(self) -> RegistryStatistics:
        """The number of running streams, and totals since the start."""
        return RegistryStatistics(
            active=len(self._streams),
            started=self._started,
            refused=self._refused,
            ended={ending: self._ended[ending] for ending in Ending},
            bytes_sent=self._bytes_sent,
            chunks_sent=self._chunks_sent,
            bytes_per_second=self._rate.per_second(trio.current_time()),
        )

    def _count(self, size: int, chunks: int) -> None:
        self._bytes_sent += size
        self._chunks_sent += chunks
        self._rate.add(trio.current_time(), size)

    def _forget(self, stream: Stream) -> None:
        del self._streams[stream.id]
        self._free.discard(stream)
        if stream.ending is not None:
            self._ended[stream.ending] += 1
        self._log.info("stream ended", **stream.summary())
