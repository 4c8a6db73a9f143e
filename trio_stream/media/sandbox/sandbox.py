"""Work on untrusted media, done in children of another process that can do nothing else.

One worker process (`trio_stream.media.worker`) is started when somebody wants it, ended when nobody has for a while,
and replaced when it died. What a job says of itself is not believed beyond its bounds. Each way it can end has one
meaning: the media is at fault (`MediaUnreadable`), the disk is (`SourceUnreadable`), or this server is and nothing
is known of the media (`MediaWorkerFailed`). When `run` returns, however it does, its child is gone.
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
"""Seconds a worker may take to import FFmpeg: a tenth of one, on a machine that is not busy."""

MEMORY = 512 << 20
"""Bytes of address space a job may take beyond the worker's own."""

REPLY_LIMIT = 64 << 20
"""Bytes of everything a job answers."""

_PASSED_ON = ("PATH", "LANG", "TZ", "TMPDIR", "VIRTUAL_ENV")
_PASSED_ON_BEGINNINGS = ("PYTHON", "LC_", "LD_", "DYLD_", "COVERAGE")

log = structlog.get_logger("trio_stream.media")


@dataclass(frozen=True, slots=True)
class SandboxStatistics:
    """`running` counts children now; `failed` counts what raised. `unfiltered` says why no filter of system calls is
    in place, None where there is one or no worker has started yet."""

    running: int
    started: int
    failed: int
    restarts: int
    workers: int
    unfiltered: str | None


class _Arrival:
    """A worker somebody waits for."""

    def __init__(self) -> None:
        self.over = trio.Event()
        self.worker: WorkerProcess | None = None
        self.reason = "the server is stopping"


class Sandbox:
    """Runs jobs on media, at most `children` at once. `serve` is its task and has to be running.

    `command` starts the worker; after `idle` seconds without a job it ends.
    """

    def __init__(self, command: Sequence[str] = WORKER, *, children: int = 4, idle: float = 60.0) -> None:
        self._command = tuple(command)
        self._limiter = trio.CapacityLimiter(children)
        self._idle = idle
        self._worker: WorkerProcess | None = None
        self._arrival: _Arrival | None = None
        self._wanted = trio.Event()
        self._serving = False
        self._number = 0
        self._running = self._started = self._failed = self._restarts = self._workers = 0
        self._unfiltered: str | None = None

    def statistics(self) -> SandboxStatistics:
        """Totals since the start."""
        return SandboxStatistics(
            running=self._running,
            started=self._started,
            failed=self._failed,
            restarts=self._restarts,
            workers=self._workers,
            unfiltered=self._unfiltered,
        )

    async def serve(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Keep a worker while one is wanted, until cancelled."""
        self._serving = True
        task_status.started()
        try:
            while True:
                await self._wanted.wait()
                self._wanted = trio.Event()
                if self._arrival is not None:
                    await self._keep_worker(self._arrival)
        finally:
            self._serving = False
            self._worker = None
            if self._arrival is not None:
                self._arrival.over.set()
                self._arrival = None

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
        """Do `job` on the file behind `fd`.

        `deadline` is in seconds from when the child starts, `memory` in bytes of address space, `limit` in bytes of
        everything answered. A job that is not `urgent` yields to everything else on the machine. Raises
        `MediaUnreadable`, `SourceUnreadable`, `MediaWorkerFailed`, and `ValueError` for options that are no JSON.
        """
        async with self._limiter:
            self._running += 1
            try:
                worker = await self._get_worker()
                self._started += 1
                return await self._attempt(worker, job, fd, options or {}, deadline, memory, limit, urgent)
            except WorkerGone as error:
                self._failed += 1
                raise MediaWorkerFailed(f"the process that reads media failed: {error}") from None
            except (MediaUnreadable, SourceUnreadable, MediaWorkerFailed):
                self._failed += 1
                raise
            finally:
                self._running -= 1

    async def _get_worker(self) -> WorkerProcess:
        if self._worker is not None and self._worker.accepting:
            return self._worker
        if not self._serving:
            raise MediaWorkerFailed("the server does not read media now")
        if self._arrival is None:
            self._arrival = _Arrival()
            self._wanted.set()
        arrival = self._arrival
        await arrival.over.wait()
        if arrival.worker is None or not arrival.worker.accepting:
            raise MediaWorkerFailed(f"no process that reads media could be started: {arrival.reason}")
        return arrival.worker

    async def _keep_worker(self, arrival: _Arrival) -> None:
        """The life of one worker, from its start to its end."""
        try:
            worker = await self._start_worker(arrival)
        finally:
            self._arrival = None  # whoever came while it started has waited for the same one
            arrival.over.set()
        if worker is None:
            return
        self._worker = worker
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(worker.listen)
                await self._wait_idle(worker)
                nursery.cancel_scope.cancel()
        except* WorkerGone as group:  # replaced when the next job wants one: it is no fault of this service
            self._restarts += 1
            log.warning("the process that reads media died", reason=str(group.exceptions[0]))
        finally:
            self._worker = None
            await worker.end()

    async def _start_worker(self, arrival: _Arrival) -> WorkerProcess | None:
        ours, theirs = socket.socketpair()
        with theirs:
            control = trio.socket.from_stdlib_socket(ours)
            try:
                process = await trio.lowlevel.open_process(
                    self._command,
                    stdin=theirs.fileno(),
                    stdout=subprocess.DEVNULL,
                    env=_environment(),
                    # A group of its own, so Ctrl-C at a terminal does not end it before the jobs are over. No
                    # session: a child that is stopped in one of its own outlives its parent for ever.
                    process_group=0,
                )
            except BaseException as error:
                control.close()
                arrival.reason = str(error)
                if isinstance(error, OSError):
                    return None
                raise
        self._workers += 1
        worker = WorkerProcess(process, control)
        greeted = False
        try:
            with trio.move_on_after(START_DEADLINE):
                await worker.greet()
                greeted = True
        except WorkerGone as error:
            arrival.reason = str(error)
        finally:
            if not greeted:
                await worker.end()
        if not greeted:
            log.error("the process that reads media does not start", reason=arrival.reason)
            return None
        if worker.unfiltered is not None and self._unfiltered is None:
            log.warning("media is read in processes with limits alone", reason=worker.unfiltered)
        self._unfiltered = worker.unfiltered
        worker.idle_since = trio.current_time()
        arrival.worker = worker
        return worker

    async def _wait_idle(self, worker: WorkerProcess) -> None:
        """Until it had nothing to do for long enough; it accepts nothing more then."""
        while True:
            rest = worker.idle_since + self._idle - trio.current_time()
            if worker.tickets:
                rest = self._idle
            elif rest <= 0:
                worker.accepting = False  # before the first checkpoint: no job is given to one that ends
                return
            await trio.sleep(rest)

    async def _attempt(
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
            "seconds": int(deadline) + 2,  # of processor time, a net: the deadline comes first
            "urgent": urgent,
        })  # fmt: skip
        worker.tickets[ticket.number] = ticket  # before it is sent: the child may be over at once
        ours, theirs = socket.socketpair()
        reply = trio.socket.from_stdlib_socket(ours)
        try:
            with theirs:
                await worker.send(request, (fd, theirs.fileno()))
            with trio.move_on_after(deadline) as scope:
                answer = await JobReply(limit).receive(reply)
                await ticket.over.wait()  # reaped: only its status tells a crash from an end
            if scope.cancelled_caught:
                await worker.kill(ticket)
                raise out_of_time(ticket, deadline)
            return answer.judge(ticket)
        finally:
            reply.close()
            if not ticket.over.is_set():
                await worker.kill(ticket)


def _environment() -> dict[str, str]:
    """What the worker may know of this server's environment: no setting, and no secret."""
    return {
        name: value
        for name, value in os.environ.items()
        if name in _PASSED_ON or name.startswith(_PASSED_ON_BEGINNINGS)
    }
