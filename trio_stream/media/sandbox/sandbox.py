"""Run jobs on untrusted media, in children of another process that can do nothing else.

One worker process (`trio_stream.media.worker`) is started on demand, ended when it has been idle for a while, and
replaced if it dies. The reply of a job is only used within its limits. Each way a job can end has one meaning: the
media is at fault (`MediaUnreadable`), the disk is (`SourceUnreadable`), or this server is, and the media may be fine
(`MediaWorkerFailed`). When `run` returns or raises, its child is gone.
"""

import os
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
import trio

from trio_stream.errors import MediaUnreadable, MediaWorkerFailed, SourceUnreadable
from trio_stream.media import wire
from trio_stream.media.sandbox.outcomes import Done, JobReply, out_of_time
from trio_stream.media.sandbox.process import Ticket, WorkerGone, WorkerProcess

WORKER = (sys.executable, "-m", "trio_stream.media.worker")

START_DEADLINE = 30.0
"""Seconds a worker may take to import FFmpeg; it takes a tenth of a second on an idle machine."""

MEMORY = 512 << 20
"""Bytes of address space a job may take beyond the worker's own."""

REPLY_LIMIT = 64 << 20
"""Bytes of the whole reply of a job."""

_PASSED_ON_NAMES = ("PATH", "LANG", "TZ", "TMPDIR", "VIRTUAL_ENV")
_PASSED_ON_PREFIXES = ("PYTHON", "LC_", "LD_", "DYLD_", "COVERAGE")

log = structlog.get_logger("trio_stream.media")


@dataclass(frozen=True, slots=True)
class SandboxStatistics:
    """`running` is the number of children now; `failed` that of jobs that raised. `unfiltered` says why there is no
    system call filter; None if there is one, or if no worker has started yet."""

    running: int
    started: int
    failed: int
    restarts: int
    workers: int
    unfiltered: str | None


class _Starting:
    """A worker that is being started, and that jobs wait for."""

    def __init__(self) -> None:
        self.over = trio.Event()
        self.worker: WorkerProcess | None = None
        self.reason = "the server is stopping"


class Sandbox:
    """Runs jobs on media, at most `children` at once. `serve` is its task and must be running.

    `command` starts the worker; after `idle` seconds without a job it ends.
    """

    def __init__(self, command: Sequence[str] = WORKER, *, children: int = 4, idle: float = 60.0) -> None:
        self._command = tuple(command)
        self._limiter = trio.CapacityLimiter(children)
        self._idle = idle
        self._worker: WorkerProcess | None = None
        self._starting: _Starting | None = None
        self._wanted = trio.Event()
        self._serving = False
        self._number = 0
        self._running = self._started = self._failed = self._restarts = self._workers = 0
        self._unfiltered: str | None = None

    def statistics(self) -> SandboxStatistics:
        """Return the number of children now, and totals since the start."""
        return SandboxStatistics(
            running=self._running,
            started=self._started,
            failed=self._failed,
            restarts=self._restarts,
            workers=self._workers,
            unfiltered=self._unfiltered,
        )

    async def serve(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Start workers on demand, until cancelled."""
        self._serving = True
        task_status.started()
        try:
            while True:
                await self._wanted.wait()
                self._wanted = trio.Event()
                if self._starting is not None:
                    await self._run_worker(self._starting)
        finally:
            self._serving = False
            self._worker = None
            if self._starting is not None:
                self._starting.over.set()
                self._starting = None

    async def run(
        self,
        job: str,
        fd: int,
        options: Mapping[str, Any] | None = None,
        *,
        deadline: float,
        memory: int = MEMORY,
        limit: int = REPLY_LIMIT,
        urgent: bool = False,
    ) -> Done:
        """Run `job` on the file behind `fd`.

        `deadline` is in seconds from the start of the child, `memory` in bytes of address space, `limit` in bytes of
        the whole reply. A job that is not `urgent` yields to everything else on the machine. Raises `MediaUnreadable`,
        `SourceUnreadable`, `MediaWorkerFailed`, and `ValueError` for options that are not JSON.
        """
        async with self._limiter:
            self._running += 1
            try:
                worker = await self._get_worker()
                self._started += 1
                return await self._run_in_child(
                    worker, job, fd, options or {}, deadline, memory, limit, urgent
                )
            except WorkerGone as error:
                self._failed += 1
                raise MediaWorkerFailed(f"the media worker failed: {error}") from None
            except (MediaUnreadable, SourceUnreadable, MediaWorkerFailed):
                self._failed += 1
                raise
            finally:
                self._running -= 1

    async def _get_worker(self) -> WorkerProcess:
        if self._worker is not None and self._worker.accepting:
            return self._worker
        if not self._serving:
            raise MediaWorkerFailed("the media worker is not running")
        if self._starting is None:
            self._starting = _Starting()
            self._wanted.set()
        starting = self._starting
        await starting.over.wait()
        if starting.worker is None or not starting.worker.accepting:
            raise MediaWorkerFailed(f"the media worker could not be started: {starting.reason}")
        return starting.worker

    async def _run_worker(self, starting: _Starting) -> None:
        """Run one worker, from its start to its end."""
        try:
            worker = await self._start_worker(starting)
        finally:
            self._starting = None  # jobs that came while it started wait for the same one
            starting.over.set()
        if worker is None:
            return
        self._worker = worker
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(worker.listen)
                await self._wait_idle(worker)
                nursery.cancel_scope.cancel()
        except* WorkerGone as group:  # the next job starts another; the server continues
            self._restarts += 1
            log.warning("the media worker died", reason=str(group.exceptions[0]))
        finally:
            self._worker = None
            await worker.end()

    async def _start_worker(self, starting: _Starting) -> WorkerProcess | None:
        ours, theirs = socket.socketpair()
        with theirs:
            control = trio.socket.from_stdlib_socket(ours)
            try:
                process = await trio.lowlevel.open_process(
                    self._command,
                    stdin=theirs.fileno(),
                    stdout=subprocess.DEVNULL,
                    env=_environment(),
                    # Its own process group, so Ctrl-C in a terminal does not end it before the jobs are over. Not its
                    # own session: a child that is stopped there would outlive its parent forever.
                    process_group=0,
                )
            except BaseException as error:
                control.close()
                starting.reason = str(error)
                if isinstance(error, OSError):
                    return None
                raise
        self._workers += 1
        worker = WorkerProcess(process, control)
        is_ready = False
        try:
            with trio.move_on_after(START_DEADLINE):
                await worker.wait_until_ready()
                is_ready = True
        except WorkerGone as error:
            starting.reason = str(error)
        finally:
            if not is_ready:
                await worker.end()
        if not is_ready:
            log.error("the media worker does not start", reason=starting.reason)
            return None
        if worker.unfiltered is not None and self._unfiltered is None:
            log.warning("media is parsed without a system call filter", reason=worker.unfiltered)
        self._unfiltered = worker.unfiltered
        worker.idle_since = trio.current_time()
        starting.worker = worker
        return worker

    async def _wait_idle(self, worker: WorkerProcess) -> None:
        """Wait until the worker has been idle for long enough; then it accepts no more jobs."""
        while True:
            remaining = worker.idle_since + self._idle - trio.current_time()
            if worker.tickets:
                remaining = self._idle
            elif remaining <= 0:
                worker.accepting = False  # before any checkpoint, so that it gets no more jobs
                return
            await trio.sleep(remaining)

    async def _run_in_child(
        self,
        worker: WorkerProcess,
        job: str,
        fd: int,
        options: Mapping[str, Any],
        deadline: float,
        memory: int,
        limit: int,
        urgent: bool,
    ) -> Done:
        self._number += 1
        ticket = Ticket(self._number)
        request = wire.frame({
            "job": job,
            "number": ticket.number,
            "options": dict(options),
            "memory": memory,
            "seconds": int(deadline) + 2,  # of CPU time, a safety net: the deadline comes first
            "urgent": urgent,
        })  # fmt: skip
        worker.tickets[ticket.number] = ticket  # before it is sent: the child may end at once
        ours, theirs = socket.socketpair()
        reply = trio.socket.from_stdlib_socket(ours)
        try:
            with theirs:
                await worker.send(request, (fd, theirs.fileno()))
            with trio.move_on_after(deadline) as scope:
                received = await JobReply(limit).receive(reply)
                await ticket.over.wait()  # reaped: only its status tells a crash from a normal end
            if scope.cancelled_caught:
                await worker.kill(ticket)
                raise out_of_time(ticket, deadline)
            return received.result_of(ticket)
        finally:
            reply.close()
            if not ticket.over.is_set():
                await worker.kill(ticket)


def _environment() -> dict[str, str]:
    """Return the environment variables that the worker gets: no settings and no secrets."""
    return {
        name: value
        for name, value in os.environ.items()
        if name in _PASSED_ON_NAMES or name.startswith(_PASSED_ON_PREFIXES)
    }
