"""How a server stops: on SIGTERM, on Ctrl-C, and when its master is killed, with workers and without.

Upstream: a worker reacts only to the shutdown event, and the master terminates workers that still drain.
"""

import os
import signal
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import trio

from tests.depth import large
from tests.server.draining import (
    APP,
    accepts_connections,
    check_clean_exit,
    is_complete,
    is_port_free,
    processes_of,
    read_rest,
    signal_all,
    start_response,
    still_running,
    workers_of,
)
from tests.server.pairs import both, plain
from tests.support import Server, connect, read_head, wait_for, wait_until
from trio_stream.server.worker import ONE_CTRL_C

Serve = Callable[..., Server]


ENDINGS = [
    (0, signal.SIGTERM),
    (0, signal.SIGINT),
    (2, signal.SIGTERM),
    large(2, signal.SIGINT),
    large(1, signal.SIGTERM),
    large(1, signal.SIGINT),
]
"""The number of workers of Hypercorn's master, and the signal to it. `tests/serving` tests the same for a supervisor."""


def serve_with(serve: Serve, workers: int, *, guarded: bool = True, graceful: int = 30) -> Server:
    """Start a server of `APP`. Return it once all its workers serve."""
    options = ("-w", str(workers), "--graceful-timeout", str(graceful))
    server = serve(APP, guarded=guarded, hypercorn=options, stops_with=None)
    wait_for(lambda: server.log.count("Running on") == max(workers, 1), 30, "all workers to serve")
    return server


@pytest.mark.parametrize(("workers", "number"), ENDINGS)
async def test_an_open_response_is_finished(serve: Serve, workers: int, number: int) -> None:
    server = serve_with(serve, workers)
    before = processes_of(server)
    async with await start_response(server, "/slow") as stream:
        server.process.send_signal(number)
        # The connection is closed after it. Otherwise this would last until the graceful timeout.
        assert is_complete(await read_rest(stream))
    await check_clean_exit(server, before, workers)
    assert "cancelled" not in server.log


@pytest.mark.parametrize("workers", [1, 2])
async def test_a_signal_to_all_processes_at_once_drains_them_too(serve: Serve, workers: int) -> None:
    server = serve_with(serve, workers)
    before = processes_of(server)
    async with await start_response(server, "/slow") as stream:
        signal_all(signal.SIGTERM, before)
        assert is_complete(await read_rest(stream))
    await check_clean_exit(server, before, workers)


@plain
async def test_plain_hypercorn_without_workers_dies_of_sigterm(serve: Serve) -> None:
    server = serve_with(serve, 0, guarded=False)
    async with await start_response(server, "/slow") as stream:
        server.process.terminate()
        assert not is_complete(await read_rest(stream))
    assert server.process.wait(5) == -signal.SIGTERM
    assert "cleaned up" not in server.log


@plain
async def test_plain_hypercorn_ends_all_workers_with_the_first(serve: Serve) -> None:
    server = serve_with(serve, 2, guarded=False)
    async with await start_response(server, "/slow") as stream:
        server.process.terminate()
        assert not is_complete(await read_rest(stream))
    server.process.wait(5)
    assert server.log.count("cleaned up") == 1


@plain
async def test_plain_hypercorn_cuts_when_all_processes_get_sigterm(serve: Serve) -> None:
    server = serve_with(serve, 1, guarded=False)
    async with await start_response(server, "/slow") as stream:
        signal_all(signal.SIGTERM, processes_of(server))
        assert not is_complete(await read_rest(stream))
    server.process.wait(5)
    assert "cleaned up" not in server.log


@pytest.mark.parametrize(("workers", "number"), ENDINGS)
async def test_a_response_that_outlasts_the_graceful_timeout_is_cancelled(
    serve: Serve, workers: int, number: int
) -> None:
    server = serve_with(serve, workers, graceful=1)
    before = processes_of(server)
    async with await start_response(server, "/endless") as stream:
        began = trio.current_time()
        server.process.send_signal(number)
        await read_rest(stream)
        assert trio.current_time() - began >= 0.9
    await check_clean_exit(server, before, workers)
    assert server.log.splitlines().count("cancelled") == 1


@pytest.mark.parametrize("workers", [0, large(1), 2])
async def test_a_second_ctrl_c_cuts_the_drain_but_not_the_cleanup(serve: Serve, workers: int) -> None:
    server = serve_with(serve, workers)
    before = processes_of(server)
    async with await start_response(server, "/endless") as stream:
        began = trio.current_time()

        def is_cut() -> bool:
            if "open connections cancelled" in server.log:
                return True  # another signal could arrive while Python exits and has removed its handlers
            signal_all(signal.SIGINT, before)  # to all processes, as a terminal does
            return False

        await wait_until(is_cut, 5, "the drain to be cut")
        assert trio.current_time() - began >= ONE_CTRL_C
        await read_rest(stream)
    await check_clean_exit(server, before, workers)
    assert server.log.splitlines().count("cancelled") == 1


async def test_a_second_sigterm_changes_nothing(serve: Serve) -> None:
    server = serve_with(serve, 0)
    before = processes_of(server)
    async with await start_response(server, "/slow") as stream:
        server.process.terminate()
        await wait_until(lambda: "stopping" in server.log, 5)
        server.process.terminate()
        assert is_complete(await read_rest(stream))
    await check_clean_exit(server, before, 0)


@pytest.mark.parametrize("workers", [0, 1])
async def test_no_request_starts_during_the_drain(serve: Serve, workers: int) -> None:
    server = serve_with(serve, workers)
    before = processes_of(server)
    async with await start_response(server, "/slow") as stream, await start_response(server, "/") as idle:
        server.process.terminate()
        await read_rest(idle)  # it ends long before the graceful timeout
        await wait_until(lambda: "stopping" in server.log, 5)
        if workers == 0:
            with trio.fail_after(60):
                while await accepts_connections(server):
                    await trio.sleep(0.01)
            assert is_complete(await read_rest(stream))
        else:
            async with await connect(server) as late:
                await late.send_all(b"GET / HTTP/1.1\r\nHost: t\r\n\r\n")
                assert is_complete(await read_rest(stream))
                assert await read_rest(late) == b""
    await check_clean_exit(server, before, workers)


@pytest.mark.parametrize("workers", [1, 2])
async def test_workers_drain_when_their_master_is_gone(serve: Serve, workers: int) -> None:
    server = serve_with(serve, workers)
    before = processes_of(server)
    async with await start_response(server, "/slow") as stream:
        server.process.kill()
        assert is_complete(await read_rest(stream))
    await check_clean_exit(server, before, workers, code=-signal.SIGKILL)
    assert "the master is gone" in server.log


@plain
async def test_workers_of_plain_hypercorn_keep_serving_without_a_master(serve: Serve) -> None:
    server = serve_with(serve, 1, guarded=False)
    before = processes_of(server)
    orphans = workers_of(server)
    try:
        server.process.kill()
        server.process.wait()
        async with await start_response(server, "/slow") as stream:
            with pytest.raises(trio.TooSlowError):  # the connection is kept alive
                await read_rest(stream, within=2.5)
        assert still_running(orphans) == orphans
        assert not is_port_free(server)
    finally:
        for orphan in orphans:
            orphan.kill()
    wait_for(lambda: not still_running(before), 5, "its processes to be gone")


async def test_a_worker_that_is_stopped_alone_is_replaced(serve: Serve) -> None:
    server = serve_with(serve, 1)
    (first,) = workers_of(server)
    async with await start_response(server, "/slow") as stream:
        first.terminate()
        assert is_complete(await read_rest(stream))
    await wait_until(lambda: server.log.count("Running on") == 2, 30, "another worker")
    assert server.get("/").status_code == 200
    before = processes_of(server)
    server.process.terminate()
    await check_clean_exit(server, before, 2)


@pytest.mark.parametrize("workers", [0, 2])
async def test_the_product_finishes_its_streams(
    start: Callable[..., Server], tmp_path: Path, workers: int
) -> None:
    size = 64 << 20
    videos = tmp_path / "videos"
    videos.mkdir()
    (videos / "large.mp4").write_bytes(os.urandom(1 << 20) * 64)
    server = start(videos, hypercorn=("-w", str(workers), "--graceful-timeout", "30"))
    wait_for(lambda: server.log.count("Running on") == max(workers, 1), 30, "all workers to serve")
    before = processes_of(server)
    async with await connect(server) as stream:
        await stream.send_all(b"GET /api/stream/large.mp4 HTTP/1.1\r\nHost: t\r\n\r\n")
        _, start_of_body = await read_head(stream)
        server.process.terminate()
        await wait_until(lambda: "stopping" in server.log, 5)
        assert len(start_of_body) + len(await read_rest(stream)) == size
    await wait_until(lambda: server.process.poll() is not None, 10, "the server to exit")
    assert server.process.returncode == 0
    await wait_until(lambda: not still_running(before), 5, "its processes to be gone")
    assert server.last_ended()["ended"] == "finished"
    assert is_port_free(server)


@both
async def test_many_connections_may_wait_to_be_accepted(serve: Callable[..., Server], guarded: bool) -> None:
    source = """
    import time
    async def app(scope, receive, send, *_):
        if scope["type"] == "lifespan":
            return await lifespan(receive, send)
        time.sleep(3)  # no connection is accepted during this
    """
    server = serve(source, guarded=guarded)
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(await connect(server))
        await first.send_all(b"GET / HTTP/1.1\r\nHost: t\r\n\r\n")
        connected = 0

        async def connect_one() -> None:
            nonlocal connected
            with trio.move_on_after(2):
                await stack.enter_async_context(await connect(server))
                connected += 1

        async with trio.open_nursery() as nursery:
            for _ in range(300):
                nursery.start_soon(connect_one)
        assert (connected == 300) is guarded
