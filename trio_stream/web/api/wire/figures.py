"""Whether the server works, what it did, and what it does now."""

from typing import Annotated, Literal

from msgspec import field

from trio_stream.telemetry.history import LENGTH
from trio_stream.web.api.wire.parts import Name, Number, Ok, Shape, Whole, says

type Cpu = Annotated[Number, says("Processor time in percent of one core.")]
type Memory = Annotated[Whole, says("Resident memory in bytes.")]
type Rate = Annotated[Whole, says("Bytes of video sent a second, since the sample before.")]
type Running = Annotated[Whole, says("Streams running.")]
type Time = Annotated[Whole, says("When, in milliseconds since 1970.")]


class Health(Shape, frozen=True, kw_only=True):
    """The server answers."""

    name: Annotated[str, says("Always `Trio Stream`.")]
    version: Annotated[str, says("Its version.")]
    status: Ok = "ok"


class Ready(Shape, frozen=True, kw_only=True):
    """The server and all its background services work."""

    status: Ok = "ok"


class Stream(Shape, frozen=True, kw_only=True):
    """One running stream."""

    id: Annotated[str, says("Names it for `DELETE /api/streams/{id}`.", "8e83768fea6f800f")]
    owner: Annotated[str, says("The address of the client.")]
    name: Name
    transport: Annotated[Literal["http", "websocket"], says("How it is sent.")]
    start: Annotated[Whole, says("First byte that was asked for.")]
    stop: Annotated[Whole, says("First byte after those that were asked for.")]
    bytes_sent: Annotated[Whole, says("Bytes sent so far.")]
    chunks_sent: Annotated[Whole, says("Pieces they were sent in.")]
    age: Annotated[Number, says("Seconds since it began.")]
    buffered: Annotated[Whole, says("Bytes read but not yet sent.")]
    peak_buffer: Annotated[Whole, says("The most there ever were of those.")]


class Streams(Shape, frozen=True, kw_only=True):
    """What is streaming now."""

    streams: Annotated[list[Stream], says("The oldest first.")]
    status: Ok = "ok"


class StreamsEnded(Shape, frozen=True, kw_only=True):
    """Streams ended, by how."""

    finished: Annotated[Whole, says("Streams that ended as finished.")]
    client_left: Annotated[Whole, says("Streams that ended as client left.")] = field(name="client left")
    stalled: Annotated[Whole, says("Streams that ended as stalled.")]
    stopped: Annotated[Whole, says("Streams that ended as stopped.")]
    failed: Annotated[Whole, says("Streams that ended as failed.")]


class Metrics(Shape, frozen=True, kw_only=True):
    """Figures since the server started. `mb` is a million bytes, `mbps` a million bits per second."""

    uptime_seconds: Annotated[Number, says("Seconds since the server started.")]
    bytes_sent: Annotated[Whole, says("Bytes of video sent.")]
    mb_sent: Annotated[Number, says("The same in millions of bytes.")]
    chunks_sent: Annotated[Whole, says("Pieces they were sent in.")]
    throughput_mbps: Annotated[Number, says("Millions of bits sent per second, over the last ten seconds.")]
    active_streams: Annotated[Whole, says("Streams running now.")]
    max_streams: Annotated[Whole, says("Streams that may run at once.")]
    streams_started: Annotated[Whole, says("Streams started.")]
    streams_refused: Annotated[Whole, says("Streams refused because all places were taken.")]
    streams_ended: Annotated[StreamsEnded, says("Streams ended, by how.")]
    windows_warm: Annotated[Whole, says("Windows of files that were in memory already.")]
    windows_cold: Annotated[Whole, says("Windows of files that were fetched from the disk.")]
    disk_threads_waiting: Annotated[Whole, says("Threads waiting for a disk now.")]
    open_files: Annotated[Whole, says("Files open for streaming now.")]
    mapped_mb: Annotated[Number, says("Address space mapped for streaming, in millions of bytes.")]
    memory_mb: Annotated[Number, says("Resident memory, in millions of bytes.")]
    cpu_percent: Annotated[Number, says("Processor time in percent of one core, over the last second.")]
    descriptors: Annotated[Whole, says("Open file descriptors.")]
    tasks: Annotated[Whole, says("Trio tasks.")]
    status: Ok = "ok"


class LiveHistory(Shape, frozen=True, kw_only=True):
    """The data of a `history` event: the samples of the last ten minutes but for the newest, a list for each of their
    members. All lists are as long as `times`."""

    times: Annotated[list[Time], says("When each sample was taken, the oldest first.", max_length=LENGTH - 1)]
    cpu: Annotated[list[Cpu], says("For each sample, the oldest first.")]
    memory: Annotated[list[Memory], says("For each sample, the oldest first.")]
    bytes_per_second: Annotated[list[Rate], says("For each sample, the oldest first.")]
    streams: Annotated[list[Running], says("For each sample, the oldest first.")]


class LiveSample(Shape, frozen=True, kw_only=True):
    """What the process did in one second."""

    time: Time
    cpu: Cpu
    memory: Memory
    bytes_per_second: Rate
    streams: Running


class LiveNow(Shape, frozen=True, kw_only=True):
    """The data of a `now` event."""

    sample: LiveSample
    uptime_seconds: Annotated[Number, says("Seconds since the server started.")]
    bytes_sent: Annotated[Whole, says("Bytes of video sent since then.")]
    max_streams: Annotated[Whole, says("Streams that may run at once.")]
    streams: Annotated[list[Stream], says("What is streaming now, the oldest first.")]
