"""The metrics of a server, as JSON and for Prometheus."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
import trio
from prometheus_client.parser import text_string_to_metric_families

from tests.support import Server, connect, read_head, wait_for, wait_until

SIZE = 1_000_000
LARGE = 64 << 20
"""More than a socket buffer can hold."""

WINDOW = 10
"""Seconds over which the throughput is averaged."""


def file(videos: Path, size: int = SIZE, name: str = "v.mp4") -> Path:
    """A video, on the disk and in the page cache."""
    path = videos / name
    with path.open("wb") as output:
        output.write(os.urandom(size))
        output.flush()
        os.fsync(output.fileno())
    return path


def leave_the_page_cache(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(fd)


def grown(server: Server, do: Callable[[], object]) -> dict[str, Any]:
    """How much each metric grew while `do` ran and its streams ended."""
    before = server.metrics()
    do()
    wait_for(lambda: server.metrics()["active_streams"] == before["active_streams"], 5, "the streams to end")
    after = server.metrics()
    more: dict[str, Any] = {
        name: value - before[name] for name, value in after.items() if isinstance(value, int | float)
    }
    return more | {
        ending: count - before["streams_ended"][ending] for ending, count in after["streams_ended"].items()
    }


def samples(server: Server) -> dict[str, float]:
    """The metrics for Prometheus by name and labels."""
    return {
        ",".join([sample.name, *sample.labels.values()]): sample.value
        for family in text_string_to_metric_families(server.get("/metrics").text)
        for sample in family.samples
    }


def test_all_metrics_are_there(running: Server) -> None:
    response = running.get("/api/metrics")
    assert response.headers["Content-Type"] == "application/json"
    metrics = response.json()
    assert metrics["status"] == "ok"
    figures = [
        "uptime_seconds", "bytes_sent", "mb_sent", "chunks_sent", "throughput_mbps", "active_streams", "memory_mb",
        "cpu_percent", "windows_warm", "windows_cold", "streams_started", "streams_refused", "open_files", "mapped_mb",
        "descriptors", "tasks",
    ]  # fmt: skip
    for name in figures:
        assert isinstance(metrics[name], int | float), name
        assert metrics[name] >= 0, name
    assert set(metrics["streams_ended"]) == {"finished", "client left", "stalled", "stopped", "failed"}


def test_metrics_of_the_process_match_the_system(running: Server) -> None:
    process = psutil.Process(running.pid)
    with running.client() as client:
        first = client.get("/api/metrics").json()
        assert first["descriptors"] == pytest.approx(
            process.num_fds(), abs=1
        )  # it has /proc open while it counts
        assert first["memory_mb"] == pytest.approx(process.memory_info().rss / 1e6, rel=0.2)
        second = client.get("/api/metrics").json()
    assert first["uptime_seconds"] < second["uptime_seconds"]


def test_a_new_server_starts_at_zero(start: Callable[..., Server]) -> None:
    server = start(environ={"TRIO_STREAM_MAX_STREAMS": "17"})
    metrics = server.metrics()
    for name in (
        "bytes_sent",
        "mb_sent",
        "chunks_sent",
        "throughput_mbps",
        "active_streams",
        "streams_started",
    ):
        assert metrics[name] == 0, name
    assert metrics["windows_warm"] == metrics["windows_cold"] == metrics["open_files"] == 0
    assert set(metrics["streams_ended"].values()) == {0}
    assert metrics["max_streams"] == 17
    assert metrics["uptime_seconds"] < 60
    assert metrics["memory_mb"] > 10
    assert samples(server)["trio_stream_streams_limit"] == 17


@pytest.mark.parametrize(
    ("method", "fields", "status", "sent"),
    [
        ("GET", {}, 200, SIZE),
        ("GET", {"Range": "bytes=0-0"}, 206, 1),
        ("GET", {"Range": "bytes=100-299999"}, 206, 299_900),
        ("GET", {"Range": "bytes=-5"}, 206, 5),
        ("HEAD", {}, 200, 0),
        ("GET", {"Range": f"bytes={SIZE}-"}, 416, 0),
        ("GET", {"If-None-Match": "*"}, 304, 0),
    ],
)
def test_sent_bytes_are_counted(
    running: Server, videos: Path, method: str, fields: dict[str, str], status: int, sent: int
) -> None:
    file(videos)

    def ask() -> None:
        with running.client() as client:
            assert client.request(method, "/api/stream/v.mp4", headers=fields).status_code == status

    more = grown(running, ask)
    assert more["bytes_sent"] == sent
    assert more["mb_sent"] == pytest.approx(sent / 1e6, abs=0.0011)
    streams = 1 if sent else 0
    assert (more["streams_started"], more["finished"]) == (streams, streams)
    assert (more["chunks_sent"] > 0) is (sent > 0)
    assert more["chunks_sent"] <= max(1, sent // 16_384 + 1) * streams
    assert (more["windows_warm"] + more["windows_cold"] > 0) is (sent > 0)
    assert [more[name] for name in ("active_streams", "open_files", "mapped_mb", "streams_refused")] == [
        0,
        0,
        0,
        0,
    ]


def test_every_ended_stream_is_counted(running: Server, videos: Path) -> None:
    file(videos)
    more = grown(running, lambda: [running.get("/api/stream/v.mp4") for _ in range(5)])
    assert (more["bytes_sent"], more["streams_started"], more["finished"]) == (5 * SIZE, 5, 5)


def test_throughput_is_the_average_of_the_last_seconds(running: Server, videos: Path) -> None:
    file(videos, 20 * SIZE)
    before = running.metrics()
    running.get("/api/stream/v.mp4")
    after = running.metrics()
    assert after["uptime_seconds"] - before["uptime_seconds"] < WINDOW - 1, (
        "the machine is too slow for this test"
    )
    least = 20 * SIZE * 8 / 1e6 / WINDOW
    assert least - 0.001 <= after["throughput_mbps"] <= least + before["throughput_mbps"] + 0.001


async def test_a_running_stream_is_counted_while_it_runs(running: Server, videos: Path) -> None:
    file(videos, LARGE)
    before, before_text = running.metrics(), samples(running)
    async with await connect(running) as stream:
        await stream.send_all(b"GET /api/stream/v.mp4 HTTP/1.1\r\nHost: t\r\n\r\n")
        await read_head(stream)
        during, during_text = running.metrics(), samples(running)
        assert during["active_streams"] == before["active_streams"] + 1
        assert during["open_files"] == before["open_files"] + 1
        assert during["streams_started"] == before["streams_started"] + 1
        assert during["tasks"] > before["tasks"]
        for name, more in (("streams_active", 1), ("open_files", 1), ("mapped_bytes", 0)):
            assert during_text[f"trio_stream_{name}"] - before_text[f"trio_stream_{name}"] == more
    await wait_until(lambda: running.metrics()["active_streams"] == before["active_streams"], 5)
    after = running.metrics()
    assert after["open_files"] == before["open_files"]
    assert after["streams_ended"]["client left"] == before["streams_ended"]["client left"] + 1
    assert 0 < after["bytes_sent"] - before["bytes_sent"] < LARGE


async def test_a_file_is_mapped_if_views_of_it_are_sent(start: Callable[..., Server], videos: Path) -> None:
    file(videos, LARGE)
    server = start(videos, environ={"TRIO_STREAM_ZERO_COPY": "0"})
    async with await connect(server) as stream:
        await stream.send_all(b"GET /api/stream/v.mp4 HTTP/1.1\r\nHost: t\r\n\r\n")
        await read_head(stream)
        assert server.metrics()["mapped_mb"] == pytest.approx(LARGE / 1e6, abs=0.002)
        assert samples(server)["trio_stream_mapped_bytes"] == LARGE
    await wait_until(lambda: server.metrics()["mapped_mb"] == 0, 5)


async def test_refused_streams_are_counted(start: Callable[..., Server], videos: Path) -> None:
    file(videos, LARGE)
    server = start(videos, environ={"TRIO_STREAM_MAX_STREAMS": "1"})
    async with await connect(server) as stream:
        await stream.send_all(b"GET /api/stream/v.mp4 HTTP/1.1\r\nHost: t\r\n\r\n")
        await read_head(stream)
        for _ in range(3):
            assert server.get("/api/stream/v.mp4").status_code == 503
        metrics = server.metrics()
        [listed] = server.get("/api/streams").json()["streams"]
        with server.client() as client:
            client.delete(f"/api/streams/{listed['id']}")
        await wait_until(lambda: server.metrics()["active_streams"] == 0, 5)
    assert (metrics["streams_refused"], metrics["streams_started"]) == (3, 1)
    assert server.metrics()["streams_ended"]["stopped"] == 1
    text = samples(server)
    assert text["trio_stream_streams_refused_total"] == 3
    assert text["trio_stream_streams_ended_total,stopped"] == 1


def test_windows_read_from_the_disk_are_counted_as_cold(running: Server, videos: Path) -> None:
    path = file(videos, 4 * SIZE)
    running.wait_for_video("v.mp4", 4 * SIZE)
    for _ in range(10):  # other readers, such as the library, would read it, too
        before = samples(running)
        leave_the_page_cache(path)
        cold = grown(running, lambda: running.get("/api/stream/v.mp4"))
        if cold["windows_cold"]:
            break
    warm = grown(running, lambda: running.get("/api/stream/v.mp4"))
    assert cold["windows_cold"] > 0
    assert warm["windows_warm"] > 0
    assert warm["windows_cold"] == 0
    assert cold["bytes_sent"] == warm["bytes_sent"] == 4 * SIZE
    after = samples(running)
    for state in ("warm", "cold"):
        name = f"trio_stream_windows_total,{state}"
        assert after[name] - before[name] == cold[f"windows_{state}"] + warm[f"windows_{state}"]


PAIRS = {
    "trio_stream_sent_bytes_total": "bytes_sent",
    "trio_stream_sent_chunks_total": "chunks_sent",
    "trio_stream_streams_active": "active_streams",
    "trio_stream_streams_limit": "max_streams",
    "trio_stream_streams_started_total": "streams_started",
    "trio_stream_streams_refused_total": "streams_refused",
    "trio_stream_windows_total,warm": "windows_warm",
    "trio_stream_windows_total,cold": "windows_cold",
    "trio_stream_disk_threads_waiting": "disk_threads_waiting",
    "trio_stream_open_files": "open_files",
}


def test_prometheus_gets_the_same_metrics(running: Server, videos: Path) -> None:
    file(videos)
    running.get("/api/stream/v.mp4")
    wait_for(lambda: running.metrics()["active_streams"] == 0, 5)
    metrics, text = running.metrics(), samples(running)
    assert {name: text[name] for name in PAIRS} == {name: metrics[key] for name, key in PAIRS.items()}
    for ending, count in metrics["streams_ended"].items():
        assert text[f"trio_stream_streams_ended_total,{ending}"] == count
    assert text["trio_stream_sent_bytes_total"] >= SIZE
    assert text["trio_stream_resident_memory_bytes"] == pytest.approx(metrics["memory_mb"] * 1e6, rel=0.2)
    assert text["trio_stream_uptime_seconds"] >= metrics["uptime_seconds"]
    assert text["trio_stream_cpu_seconds_total"] > 0
    for name in ("mapped_bytes", "open_descriptors", "tasks"):
        assert f"trio_stream_{name}" in text


def test_promtool_has_no_complaints(running: Server, videos: Path) -> None:
    promtool = shutil.which("promtool")
    assert promtool is not None, "promtool is not in PATH; scripts/test installs it and sets PATH"
    file(videos)
    running.get("/api/stream/v.mp4")
    response = running.get("/metrics")
    assert response.headers["Content-Type"].startswith("text/plain; version=")
    assert response.content.endswith(b"\n")
    checked = subprocess.run(
        [promtool, "check", "metrics"], input=response.content, capture_output=True, timeout=30, check=False
    )
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")


async def test_metrics_can_be_requested_by_many_clients_at_once(running: Server) -> None:
    async with httpx.AsyncClient(base_url=running.url, timeout=10, verify=False) as client:
        statuses: list[int] = []

        async def ask(path: str) -> None:
            statuses.append((await client.get(path)).status_code)

        async with trio.open_nursery() as nursery:
            for _ in range(20):
                nursery.start_soon(ask, "/metrics")
                nursery.start_soon(ask, "/api/metrics")
    assert statuses == [200] * 40
