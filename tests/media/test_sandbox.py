"""Cause each way a job can end, and check that no process is left."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
import trio

from tests.media.conftest import MISBEHAVING, children, workers
from tests.support import SLOWER, wait_for, wait_until
from trio_stream.errors import MediaUnreadable, MediaWorkerFailed, SegmentTooLarge, SourceUnreadable
from trio_stream.media.sandbox import process
from trio_stream.media.sandbox.outcomes import ended_early, out_of_time
from trio_stream.media.sandbox.process import Ticket
from trio_stream.media.sandbox.sandbox import Sandbox

ROOT = Path(__file__).parents[2]

ROUNDS = 5
"""Repetitions; other programs on the machine can only make one worse, never better."""


@pytest.fixture(autouse=True)
def urgent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Jobs of these tests are urgent, unless one says otherwise.

    Other programs can delay any other job without limit: it runs out of time, and its child cannot even die.
    """
    defaults = Sandbox.run.__kwdefaults__
    assert defaults is not None
    monkeypatch.setitem(defaults, "urgent", True)


@pytest.fixture(autouse=True)
def no_child_left() -> Iterator[None]:
    """A job that has ended has no process, neither running nor waiting to be reaped."""
    yield
    assert not children()


async def test_a_job_returns_a_result_and_files_in_order(wild: Sandbox, file: int) -> None:
    done = await wild.run("echo", file, {"blobs": {"b": 3, "a": 300_000}, "word": "ü"}, deadline=30)
    assert done.result["read"] == 10
    assert done.result["options"]["word"] == "ü"
    assert list(done.blobs.items()) == [("b", b"bbb"), ("a", b"a" * 300_000)]
    assert os.read(file, 4) == b"0123"  # the job has its own position


async def test_jobs_share_only_the_worker(wild: Sandbox, file: int) -> None:
    pids = []

    async def one() -> None:
        pids.append((await wild.run("echo", file, deadline=30)).result["pid"])

    async with trio.open_nursery() as nursery:
        for _ in range(20):
            nursery.start_soon(one)
    assert len(set(pids)) == 20
    assert len(workers()) == 1
    outcome = wild.statistics()
    assert (outcome.running, outcome.started, outcome.failed, outcome.restarts, outcome.workers) == (
        0,
        21,
        0,
        0,
        1,
    )


async def test_jobs_wait_for_the_worker_that_is_starting(file: int) -> None:
    sandbox = Sandbox(MISBEHAVING)
    async with trio.open_nursery() as nursery:
        await nursery.start(sandbox.serve)

        async def all_at_once() -> None:
            async with trio.open_nursery() as jobs:
                jobs.start_soon(lambda: sandbox.run("echo", file, deadline=30))
                await wait_until(lambda: len(workers()) == 1, 5)
                jobs.start_soon(lambda: sandbox.run("echo", file, deadline=30))

        with trio.fail_after(SLOWER * 5):
            await all_at_once()
        assert sandbox.statistics().workers == 1
        nursery.cancel_scope.cancel()


async def test_the_number_of_children_is_limited(file: int) -> None:
    sandbox = Sandbox(MISBEHAVING, children=2)
    async with trio.open_nursery() as nursery:
        await nursery.start(sandbox.serve)
        await sandbox.run("echo", file, deadline=30)
        for _ in range(4):
            nursery.start_soon(lambda: sandbox.run("sleep", file, deadline=60))
        await wait_until(lambda: len(children()) == 2, 5)
        await wait_until(lambda: sandbox.statistics().running == 2, 5)
        assert len(children()) == 2
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize(
    ("job", "options", "reason"),
    [
        ("refuse", {}, "this job refuses every file"),
        ("fail", {}, "a bug of the job"),
        ("crash", {"how": "segv"}, "SIGSEGV"),
        ("crash", {"how": "abort"}, "SIGABRT"),
        ("devour", {}, "more memory"),
        ("devour_and_abort", {}, "SIGABRT"),
        ("flood", {}, "more data than allowed"),
        ("litter", {}, "invalid data"),
        ("spin", {}, "longer than 0.5 s"),
        ("sleep", {}, "longer than 0.5 s"),
        ("linger", {}, "longer than 0.5 s"),
        ("babble", {"hex": "ff" * 100}, "invalid data"),
        ("babble", {"hex": "00000002000000007b"}, "SIGXXX"),  # truncated
        ("babble", {"hex": "00000002000000007b7d"}, "invalid data"),  # {}
        ("babble", {"hex": "00000002000000005b5d"}, "invalid data"),  # []
        ("babble", {"hex": ("0000000d00000000" + b'{"result":{}}'.hex()) * 2}, "invalid data"),
        ("babble", {"hex": "0000000d00000000" + b'{"result":[]}'.hex()}, "invalid data"),
        ("babble", {"hex": "000186a000000000" + b"[".hex() * 100_000}, "invalid data"),
        ("babble", {"hex": "ffffffffffffffff"}, "invalid data"),
    ],
)
async def test_faults_of_the_media_are_media_unreadable(
    wild: Sandbox, file: int, job: str, options: dict[str, Any], reason: str
) -> None:
    if reason == "SIGXXX":
        with pytest.raises(MediaWorkerFailed, match="status 0"):
            await wild.run(job, file, options, deadline=30)
        return
    hurried = job in {"spin", "sleep", "linger"}
    tries = 0

    async def persist() -> None:
        nonlocal tries
        while True:
            tries += 1
            with suppress(MediaWorkerFailed):  # the machine was so busy that the job got no CPU
                await wild.run(job, file, options, deadline=0.5 if hurried else 30, limit=8 << 20)

    with pytest.raises(MediaUnreadable, match=reason):
        await persist()
    assert tries == 1 or hurried
    assert wild.statistics().failed == tries
    assert (await wild.run("echo", file, deadline=30)).result["read"] == 10
    assert wild.statistics().restarts == 0


async def test_a_too_large_segment_differs_from_damaged_media(wild: Sandbox, file: int) -> None:
    with pytest.raises(SegmentTooLarge, match="the segment is too large") as error:
        await wild.run("exceed", file, deadline=30)
    assert (error.value.status, error.value.code) == (422, "segment-too-large")
    with pytest.raises(MediaUnreadable) as other:
        await wild.run("refuse", file, deadline=30)
    assert other.value.code == "media-unreadable"


async def test_memory_is_limited_by_the_caller(wild: Sandbox, file: int) -> None:
    done = await wild.run("echo", file, {"blobs": {"a": 20 << 20}}, deadline=30, memory=256 << 20)
    assert len(done.blobs["a"]) == 20 << 20
    with pytest.raises(MediaUnreadable, match="memory"):
        await wild.run("echo", file, {"blobs": {"a": 20 << 20}}, deadline=30, memory=16 << 20)


async def test_a_failing_disk_is_not_a_fault_of_the_media(wild: Sandbox, sandbox: Sandbox) -> None:
    descriptor = os.open("/proc/self/mem", os.O_RDONLY)  # nothing is mapped at 0: EIO
    try:
        with pytest.raises(SourceUnreadable, match=os.strerror(5)):
            await wild.run("read_on", descriptor, deadline=30)
        with pytest.raises(SourceUnreadable, match=os.strerror(5)):
            await sandbox.run("probe", descriptor, deadline=30)
    finally:
        os.close(descriptor)


async def test_a_hanging_disk_is_not_a_fault_of_the_media(wild: Sandbox) -> None:
    async def waits_for_it(deadline: float) -> bool:
        try:
            await wild.run("read_on", ours, deadline=deadline)
        except SourceUnreadable as error:
            return f"did not respond within {deadline:g} s" in str(error)
        except (MediaUnreadable, MediaWorkerFailed):  # the machine is so busy that the job does not read yet
            return False
        return False

    ours, theirs = os.pipe()
    try:
        assert await waits_for_it(0.3) or await waits_for_it(3)
    finally:
        os.close(ours)
        os.close(theirs)


async def test_unknown_jobs_and_invalid_requests_are_our_fault(wild: Sandbox, file: int) -> None:
    with pytest.raises(MediaWorkerFailed, match="KeyError"):
        await wild.run("play", file, deadline=30)
    with pytest.raises(ValueError, match="not JSON"):
        await wild.run("echo", file, {"x": object()}, deadline=30)
    assert (await wild.run("echo", file, deadline=30)).result["read"] == 10


async def test_a_job_killed_from_outside_is_not_a_fault_of_the_media(wild: Sandbox, file: int) -> None:
    async with trio.open_nursery() as nursery:

        async def killed() -> None:
            with pytest.raises(MediaWorkerFailed, match="SIGKILL"):
                await wild.run("sleep", file, deadline=60)

        nursery.start_soon(killed)
        await wait_until(lambda: len(children()) == 1, 5)
        children()[0].kill()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM])
async def test_a_worker_that_dies_is_replaced(wild: Sandbox, file: int, number: int) -> None:
    failed = []

    async def fail() -> None:
        with pytest.raises(MediaWorkerFailed):
            await wild.run("spin", file, deadline=60)
        failed.append(True)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(fail)
        nursery.start_soon(fail)
        await wait_until(lambda: len(children()) == 2, 5)
        before = children()
        workers()[0].send_signal(number)
    assert len(failed) == 2
    assert (await wild.run("echo", file, deadline=30)).result["read"] == 10
    assert wild.statistics().restarts == 1
    await wait_until(
        lambda: not any(_is_alive(child) for child in before), 5, "the children of the dead worker to end"
    )


async def test_a_worker_that_hangs_is_replaced(
    wild: Sandbox, file: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "KILL_GRACE", 0.2)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(lambda: wild.run("sleep", file, deadline=60))
        await wait_until(lambda: len(children()) == 1, 5)
        workers()[0].suspend()
        nursery.cancel_scope.cancel()
    await wait_until(lambda: wild.statistics().restarts == 1, 5)
    assert not workers()
    assert (await wild.run("echo", file, deadline=30)).result["read"] == 10


async def test_a_worker_that_does_not_start_is_reported(file: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trio_stream.media.sandbox.sandbox.START_DEADLINE", 0.5)
    for command in (("/nowhere",), ("/bin/true",), ("/bin/echo",), (*MISBEHAVING, "--mute")):
        sandbox = Sandbox(command)
        async with trio.open_nursery() as nursery:
            await nursery.start(sandbox.serve)
            with pytest.raises(MediaWorkerFailed, match="could not be started"):
                await sandbox.run("echo", file, deadline=30)
            nursery.cancel_scope.cancel()
    assert not workers()


async def test_without_its_task_a_sandbox_runs_nothing(file: int) -> None:
    with pytest.raises(MediaWorkerFailed):
        await Sandbox(MISBEHAVING).run("echo", file, deadline=30)


@pytest.mark.parametrize("job", ["spin", "sleep", "flood"])
async def test_cancelling_ends_the_child_immediately(wild: Sandbox, file: int, job: str) -> None:
    """It takes about as long as a minimal job, whose child also starts and ends."""
    whole, ending = [], []
    for _ in range(ROUNDS):
        began = time.monotonic()
        await wild.run("echo", file, deadline=60)
        whole.append(time.monotonic() - began)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(lambda: wild.run(job, file, deadline=3600, limit=1 << 40))
            await wait_until(lambda: len(children()) == 1, 5)
            nursery.cancel_scope.cancel()
            began = time.monotonic()
        ending.append(time.monotonic() - began)
        assert not children()
    print(f"a job took {min(whole):.4f} s, its end {min(ending):.4f} s")
    assert min(ending) <= 5 * min(whole)
    assert wild.statistics().running == 0
    assert wild.statistics().restarts == 0


async def test_cancelling_ends_a_child_with_idle_priority(wild: Sandbox, file: int) -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(lambda: wild.run("sleep", file, deadline=3600, urgent=False))
        await wait_until(lambda: len(children()) == 1, 5)
        nursery.cancel_scope.cancel()
    await wait_until(lambda: not children(), 5, "the child to die when it is scheduled")
    assert wild.statistics().restarts == 0


async def test_stopping_ends_everything(file: int) -> None:
    sandbox = Sandbox(MISBEHAVING)
    ended = []

    async def run() -> None:
        with pytest.raises(MediaWorkerFailed):
            await sandbox.run("spin", file, deadline=60)
        ended.append(True)

    async with trio.open_nursery() as nursery, trio.open_nursery() as serving:
        await serving.start(sandbox.serve)
        with pytest.raises(MediaWorkerFailed, match="status 3"):
            await sandbox.run("crash", file, {"how": "exit"}, deadline=60)
        nursery.start_soon(run)
        nursery.start_soon(run)
        await wait_until(lambda: len(children()) == 2, 5)
        serving.cancel_scope.cancel()
    assert len(ended) == 2
    assert not workers()


async def test_an_idle_worker_ends_and_another_is_started(file: int) -> None:
    sandbox = Sandbox(MISBEHAVING, idle=0.1)
    async with trio.open_nursery() as nursery:
        await nursery.start(sandbox.serve)
        await sandbox.run("sleep", file, {"seconds": 0.3}, deadline=30)
        assert sandbox.statistics().workers == 1
        await wait_until(lambda: not workers(), 5)
        assert (await sandbox.run("echo", file, deadline=30)).result["read"] == 10
        outcome = sandbox.statistics()
        assert (outcome.workers, outcome.restarts) == (2, 0)
        nursery.cancel_scope.cancel()


def test_nothing_outlives_a_server_that_is_killed(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    command = [sys.executable, "-m", "tests.media.holding", str(tmp_path / "file")]
    for stopped in (False, True):
        with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as server:
            assert server.stdout is not None
            assert server.stdout.readline() == b"holding\n"
            (worker,) = psutil.Process(server.pid).children()
            left = [worker, *wait_for(lambda worker=worker: _both(worker), 5)]  # type: ignore[misc] # mypy: a default in a lambda has no type
            if stopped:
                worker.suspend()
            server.kill()
            server.wait()
            if stopped:
                worker.resume()
        wait_for(lambda left=left: not any(_is_alive(one) for one in left), 5, "all to end")  # type: ignore[misc] # mypy: a default in a lambda has no type


def _both(worker: psutil.Process) -> list[psutil.Process]:
    found = worker.children()
    return found if len(found) == 2 else []


def _is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


async def test_a_child_can_only_read_and_reply(wild: Sandbox, file: int, tmp_path: Path) -> None:
    (tmp_path / "there").touch()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        options = {"server": os.getpid(), "folder": str(tmp_path), "port": listening.getsockname()[1]}
        outcome = (await wild.run("escape", file, options, deadline=30)).result
        listening.setblocking(False)
        with pytest.raises(BlockingIOError):
            listening.accept()
    assert wild.statistics().unfiltered is None
    refused = dict.fromkeys(outcome["tries"], "EPERM")
    assert outcome["tries"] == refused | {"write to the media": "EBADF"}
    assert outcome["descriptors"] == [0, 1, 2, 3, 4]
    assert not any(name.startswith("TRIO_STREAM_") for name in outcome["environment"])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "there"]


async def test_without_a_filter_the_limits_apply_and_it_is_reported(file: int) -> None:
    sandbox = Sandbox((*MISBEHAVING, "--unfiltered"))
    async with trio.open_nursery() as nursery:
        await nursery.start(sandbox.serve)
        outcome = (await sandbox.run("exceed_limits", file, deadline=30)).result
        assert sandbox.statistics().unfiltered == "disabled by the test"
        nursery.cancel_scope.cancel()
    assert set(outcome.values()) <= {"EMFILE", "EBADF"}


@pytest.mark.parametrize("what", ["module", "encoding"])
async def test_a_late_import_is_our_fault(wild: Sandbox, file: int, what: str) -> None:
    with pytest.raises(MediaWorkerFailed, match=r"colorsys|cp037"):
        await wild.run("import_late", file, {"what": what}, deadline=30)


async def test_children_have_idle_priority(wild: Sandbox, file: int) -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(lambda: wild.run("sleep", file, deadline=60, urgent=False))
        await wait_until(lambda: len(children()) == 1, 5)
        (child,) = children()
        await wait_until(lambda: os.getpgid(child.pid) == child.pid, 5)
        await wait_until(lambda: os.sched_getscheduler(child.pid) == os.SCHED_IDLE, 5)
        await wait_until(lambda: child.ionice().ioclass == psutil.IOPRIO_CLASS_IDLE, 5)
        (worker,) = workers()
        assert os.sched_getscheduler(worker.pid) == os.SCHED_OTHER
        assert os.getpgid(worker.pid) == worker.pid
        nursery.cancel_scope.cancel()


async def test_an_urgent_child_has_normal_priority(wild: Sandbox, file: int) -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(lambda: wild.run("sleep", file, deadline=60, urgent=True))
        await wait_until(lambda: len(children()) == 1, 5)
        (child,) = children()
        status = Path(f"/proc/{child.pid}/status")
        await wait_until(lambda: "Seccomp:\t2" in status.read_text(), 5, "the filter, which comes last")
        assert os.sched_getscheduler(child.pid) == os.SCHED_OTHER
        assert child.ionice().ioclass != psutil.IOPRIO_CLASS_IDLE
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize(
    ("ticket", "error"),
    [
        (Ticket(1, reading=True), SourceUnreadable),
        (Ticket(1, starved=True, cpu=0.1), MediaWorkerFailed),
        (Ticket(1, starved=True, cpu=9), MediaUnreadable),
        (Ticket(1, cpu=0.1), MediaUnreadable),
    ],
)
def test_a_passed_deadline_is_the_fault_of_media_disk_or_server(
    ticket: Ticket, error: type[Exception]
) -> None:
    assert type(out_of_time(ticket, 10)) is error


@pytest.mark.parametrize(
    ("status", "error", "message"),
    [
        (None, MediaWorkerFailed, "died"),
        (signal.SIGXCPU, MediaUnreadable, "too long"),
        (signal.SIGKILL, MediaWorkerFailed, "SIGKILL"),
        (signal.SIGTERM, MediaWorkerFailed, "SIGTERM"),
        (3 << 8, MediaWorkerFailed, "status 3"),
        (signal.SIGFPE, MediaUnreadable, "SIGFPE"),
        (signal.SIGSYS | 0x80, MediaUnreadable, "SIGSYS"),
        (50, MediaUnreadable, "signal 50"),
    ],
)
def test_the_exit_status_of_a_child_without_a_reply_gives_the_error(
    status: int | None, error: type[Exception], message: str
) -> None:
    found = ended_early(status)
    assert type(found) is error
    assert message in str(found)
