"""Health, metrics, running streams, and the live view."""

from typing import Annotated, Literal

from msgspec import field

from trio_stream.telemetry.history import LENGTH
from trio_stream.web.api.wire.parts import Name, Number, Ok, Shape, Whole, says

type Cpu = Annotated[Number, says("Processor time in percent of one core.")]
type Memory = Annotated[Whole, says("Resident memory in bytes.")]
type Rate = Annotated[Whole, says("Bytes of video sent per second, since the previous sample.")]
type Running = Annotated[Whole, says("Running streams.")]
type Time = Annotated[Whole, says("Milliseconds since 1970.")]


class Health(Shape, frozen=True, kw_only=True):
    """The server responds."""

    name: Annotated[str, says("Always `Trio Stream`.")]
    version: Annotated[str, says("Its version.")]
    status: Ok = "ok"


class Ready(Shape, frozen=True, kw_only=True):
    """The server and all its background services work."""

    status: Ok = "ok"


class Stream(Shape, frozen=True, kw_only=True):
    """One running stream."""

    id: Annotated[str, says("The id, for `DELETE /api/streams/{id}`.", "8e83768fea6f800f")]
    owner: Annotated[str, says("The address of the client.")]
    name: Name
    transport: Annotated[Literal["http", "websocket"], says("The protocol.")]
    start: Annotated[Whole, says("First requested byte.")]
    stop: Annotated[Whole, says("First byte after the requested ones.")]
    bytes_sent: Annotated[Whole, says("Bytes sent so far.")]
    chunks_sent: Annotated[Whole, says("Chunks sent so far.")]
    age: Annotated[Number, says("Seconds since it started.")]
    buffered: Annotated[Whole, says("Bytes read but not yet sent.")]
    peak_buffer: Annotated[Whole, says("The maximum of `buffered` so far.")]


class Streams(Shape, frozen=True, kw_only=True):
    """The running streams."""

    streams: Annotated[list[Stream], says("Oldest first.")]
    status: Ok = "ok"


class StreamsEnded(Shape, frozen=True, kw_only=True):
    """Ended streams, by reason."""

    finished: Annotated[Whole, says("Sent completely.")]
    client_left: Annotated[Whole, says("The client disconnected.")] = field(name="client left")
    stalled: Annotated[Whole, says("The client accepted no data for too long.")]
    stopped: Annotated[Whole, says("Ended by the server or through the API.")]
    failed: Annotated[Whole, says("Ended by an error.")]


class Metrics(Shape, frozen=True, kw_only=True):
    """Metrics since the server started. `mb` is a million bytes, `mbps` a million bits per second."""

    uptime_seconds: Annotated[Number, says("Seconds since the server started.")]
    bytes_sent: Annotated[Whole, says("Bytes of video sent.")]
    mb_sent: Annotated[Number, says("The same in millions of bytes.")]
    chunks_sent: Annotated[Whole, says("Chunks of video sent.")]
    throughput_mbps: Annotated[Number, says("Millions of bits sent per second, over the last ten seconds.")]
    active_streams: Annotated[Whole, says("Running streams.")]
    max_streams: Annotated[Whole, says("The limit of concurrent streams.")]
    streams_started: Annotated[Whole, says("Streams started.")]
    streams_refused: Annotated[Whole, says("Streams refused because the limit was reached.")]
    streams_ended: Annotated[StreamsEnded, says("Ended streams, by reason.")]
    windows_warm: Annotated[Whole, says("Windows of files that were in the page cache.")]
    windows_cold: Annotated[Whole, says("Windows of files that were read from the disk.")]
    disk_threads_waiting: Annotated[Whole, says("Threads waiting for a disk.")]
    open_files: Annotated[Whole, says("Files open for streaming.")]
    mapped_mb: Annotated[Number, says("Address space mapped for streaming, in millions of bytes.")]
    memory_mb: Annotated[Number, says("Resident memory, in millions of bytes.")]
    cpu_percent: Annotated[Number, says("Processor time in percent of one core, over the last second.")]
    descriptors: Annotated[Whole, says("Open file descriptors.")]
    tasks: Annotated[Whole, says("Trio tasks.")]
    status: Ok = "ok"


class LiveHistory(Shape, frozen=True, kw_only=True):
    """The data of a `history` event: the samples of the last ten minutes except the newest, as one list for each of
    their members. All lists have the same length."""

    times: Annotated[list[Time], says("When each sample was taken, oldest first.", max_length=LENGTH - 1)]
    cpu: Annotated[list[Cpu], says("For each sample, oldest first.")]
    memory: Annotated[list[Memory], says("For each sample, oldest first.")]
    bytes_per_second: Annotated[list[Rate], says("For each sample, oldest first.")]
    streams: Annotated[list[Running], says("For each sample, oldest first.")]


class LiveSample(Shape, frozen=True, kw_only=True):
    """Measurements of the process over one second."""

    time: Time
    cpu: Cpu
    memory: Memory
    bytes_per_second: Rate
    streams: Running


class LiveNow(Shape, frozen=True, kw_only=True):
    """The data of a `now` event."""

    sample: LiveSample
    uptime_seconds: Annotated[Number, says("Seconds since the server started.")]
    bytes_sent: Annotated[Whole, says("Bytes of video sent since the server started.")]
    max_streams: Annotated[Whole, says("The limit of concurrent streams.")]
    streams: Annotated[list[Stream], says("The running streams, oldest first.")]
