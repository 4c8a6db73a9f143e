"""Metrics, as JSON for users and pages, and as text for Prometheus. Both only read `statistics()`."""

from collections.abc import Iterator, Mapping

from prometheus_client.core import Metric
from quart import Blueprint, Response

from trio_stream.accounts.grants import Verb
from trio_stream.streaming.stream import Ending
from trio_stream.telemetry import prometheus
from trio_stream.telemetry.prometheus import counter, counters, gauge
from trio_stream.web.api.wire.figures import Metrics, StreamsEnded
from trio_stream.web.api.wire.operations import HEALTH, Operation, Returns, declares, json_of, returns_json
from trio_stream.web.asgi.exchange import services

blueprint = Blueprint("metrics", __name__)

MEGABYTE = 1_000_000


@blueprint.get("/api/metrics")
@returns_json(
    Operation(
        id="metrics",
        tag=HEALTH,
        summary="Get metrics as JSON",
        verb=Verb.OPERATE,
        returns=(json_of("The metrics.", Metrics),),
    )
)
async def metrics_json() -> Metrics:
    """The current metrics, in the units of their names; `mb` is a million bytes, `mbps` a million bits per second."""
    streams = services().registry.statistics()
    process = services().sampler.statistics()
    disk = services().disk.statistics()
    maps = services().maps.statistics()
    return Metrics(
        uptime_seconds=round(process.uptime, 3),
        bytes_sent=streams.bytes_sent,
        mb_sent=round(streams.bytes_sent / MEGABYTE, 3),
        chunks_sent=streams.chunks_sent,
        throughput_mbps=round(streams.bytes_per_second * 8 / MEGABYTE, 3),
        active_streams=streams.active,
        max_streams=services().registry.limit,
        streams_started=streams.started,
        streams_refused=streams.refused,
        streams_ended=_ended(streams.ended),
        windows_warm=disk.warm,
        windows_cold=disk.cold,
        disk_threads_waiting=disk.waiting,
        open_files=maps.files,
        mapped_mb=round(maps.mapped_bytes / MEGABYTE, 3),
        memory_mb=round(process.memory / MEGABYTE, 3),
        cpu_percent=process.cpu,
        descriptors=process.descriptors,
        tasks=process.tasks,
    )


def _ended(counts: Mapping[Ending, int]) -> StreamsEnded:
    return StreamsEnded(
        finished=counts[Ending.FINISHED],
        client_left=counts[Ending.CLIENT_LEFT],
        stalled=counts[Ending.STALLED],
        stopped=counts[Ending.STOPPED],
        failed=counts[Ending.FAILED],
    )


@blueprint.get("/metrics")
@declares(
    Operation(
        id="metricsText",
        tag=HEALTH,
        summary="Get metrics for Prometheus",
        verb=Verb.OPERATE,
        returns=(
            Returns("The metrics in the text format of Prometheus.", {prometheus.CONTENT_TYPE: (str,)}),
        ),
    )
)
async def metrics_text() -> Response:
    """The current metrics for Prometheus."""
    streams = services().registry.statistics()
    process = services().sampler.statistics()
    disk = services().disk.statistics()
    maps = services().maps.statistics()
    text = prometheus.render(
        [
            gauge("trio_stream_uptime_seconds", "Seconds since the server started.", process.uptime),
            counter("trio_stream_sent_bytes", "Bytes of video sent.", streams.bytes_sent),
            counter("trio_stream_sent_chunks", "Chunks of video sent.", streams.chunks_sent),
            gauge("trio_stream_streams_active", "Running streams.", streams.active),
            gauge("trio_stream_streams_limit", "The limit of concurrent streams.", services().registry.limit),
            counter("trio_stream_streams_started", "Streams started.", streams.started),
            counter(
                "trio_stream_streams_refused",
                "Streams refused because the limit was reached.",
                streams.refused,
            ),
            counters(
                "trio_stream_streams_ended",
                "Streams ended, by reason.",
                "ending",
                {str(ending): count for ending, count in streams.ended.items()},
            ),
            counters(
                "trio_stream_windows",
                "Windows of files found in the page cache (warm) or read from the disk (cold).",
                "state",
                {"warm": disk.warm, "cold": disk.cold},
            ),
            gauge("trio_stream_disk_threads_waiting", "Threads waiting for a disk.", disk.waiting),
            gauge("trio_stream_open_files", "Files open for streaming.", maps.files),
            gauge("trio_stream_mapped_bytes", "Address space mapped for streaming.", maps.mapped_bytes),
            gauge("trio_stream_resident_memory_bytes", "Resident memory of the process.", process.memory),
            counter("trio_stream_cpu_seconds", "Processor time of the process.", process.cpu_seconds),
            gauge("trio_stream_open_descriptors", "Open file descriptors.", process.descriptors),
            gauge("trio_stream_tasks", "Trio tasks.", process.tasks),
            *_library(),
        ]
    )
    return Response(text, content_type=prometheus.CONTENT_TYPE)


def _library() -> Iterator[Metric]:
    """Metrics of the database and of media jobs. Only the owner has the second half."""
    database = services().database.statistics()
    yield counter("trio_stream_database_reads", "Reads of the database.", database.reads)
    yield counter("trio_stream_database_reads_failed", "Reads that failed.", database.failed)
    yield gauge("trio_stream_database_reading", "Reads in progress.", database.reading)
    if not services().owner.mine:
        return
    housekeeping = services().owner.get()
    writer, media = housekeeping.writer.statistics(), housekeeping.sandbox.statistics()
    yield counter("trio_stream_database_changes", "Changes of the database.", writer.changes)
    yield counter("trio_stream_database_changes_failed", "Changes that failed.", writer.failed)
    yield counter("trio_stream_database_transactions", "Transactions of these changes.", writer.groups)
    yield gauge("trio_stream_database_changes_waiting", "Changes waiting for the writer.", writer.waiting)
    yield gauge(
        "trio_stream_database_longest_transaction_seconds", "The longest transaction so far.", writer.longest
    )
    yield counter(
        "trio_stream_media_jobs",
        "Jobs that read media: probing, artwork, subtitles, remuxing.",
        media.started,
    )
    yield counter("trio_stream_media_jobs_failed", "Jobs that read media and failed.", media.failed)
