"""Work on untrusted media, done in children of another process that can do nothing else.

One worker process (`trio_stream.media.worker`) is started when somebody wants it, ended when nobody has for a while,
and replaced when it died. What a job says of itself is not believed beyond its bounds. Each way it can end has one
meaning: the media is at fault (`MediaUnreadable`), the disk is (`SourceUnreadable`), or this server is and nothing
is known of the media (`MediaWorkerFailed`). When `run` returns, however it does, its child is gone.
"""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import structlog
import trio

from trio_stream.errors import MediaUnreadable, MediaWorkerFailed, SourceUnreadable
from trio_stream.media import wire

WORKER = (sys.executable, "-m", "trio_stream.media.worker")

START_DEADLINE = 30.0
"""Seconds a worker may take to import FFmpeg; it runs when nobody else wants the processor."""

KILL_GRACE = 5.0
"""Seconds a worker may take to answer that it killed a child, and the child to be gone."""

END_GRACE = 1.0
"""Seconds a worker may take to end by itself."""

SEND_DEADLINE = 10.0
"""Seconds a worker may take to read a request."""

MEMORY = 512 << 20
"""Bytes of address space a job may take beyond the worker's own."""

REPLY_LIMIT = 64 << 20
"""Bytes of everything a job answers."""

BLOB_LIMIT = 1000
"""Files a job may make."""

STARVED = 0.25
"""A job that was out of time got no processor if it used less than this share of the time, and wanted more."""

_PASSED_ON = ("PATH", "LANG", "TZ", "TMPDIR", "VIRTUAL_ENV")
_PASSED_ON_BEGINNINGS = ("PYTHON", "LC_", "LD_", "DYLD_", "COVERAGE")

log = structlog.get_logger("trio_stream.media")


@dataclass(frozen=True, slots=True)
class Done:
    """What a job answered: its result, and the files it made in their order."""

    result: dict[str, Any]
    blobs: dict[str, bytes]


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


@dataclass
class _Ticket:
    """One job that a worker knows of."""

    number: int
    over: trio.Event = field(default_factory=trio.Event)
    answered: trio.Event = field(default_factory=trio.Event)
    status: int | None = None
    cpu: float = 0.0
    reading: bool = False
    starved: bool = False


class _WorkerGone(Exception):
    """The worker ended, or made no sense."""


class _Worker:
    """A running worker process, as the server sees it."""

    def __init__(self, process: trio.Process, control: trio.socket.SocketType) -> None:
        self.process = process
        self.accepting = True
        self.tickets: dict[int, _Ticket] = {}
        self.idle_since = trio.current_time()
        self.unfiltered: str | None = None
        self._control = control
        self._decoder = wire.Decoder(1 << 20, 0)
        self._sending = trio.Lock()

    async def greet(self) -> None:
        """Wait until it is ready. Raises `_WorkerGone`."""
        for head in await self._receive():
            if "ready" in head:
                self.unfiltered = str(head["unfiltered"]) if head.get("unfiltered") else None
                return
        raise _WorkerGone("it did not greet")

    async def listen(self) -> None:
        """Take what it says until it ends, which raises `_WorkerGone`."""
        while True:
            for head in await self._receive():
                self._hear(head)

    async def _receive(self) -> list[dict[str, Any]]:
        try:
            data = await self._control.recv(65536)
            if not data:
                raise _WorkerGone("it ended")
            return [head for head, _ in self._decoder.feed(data)]
        except (OSError, wire.Garbled) as error:
            raise _WorkerGone(str(error)) from None

    def _hear(self, head: Mapping[str, Any]) -> None:
        if (ticket := self.tickets.get(head.get("killed", -1))) is not None:
            ticket.reading, ticket.starved = bool(head["reading"]), bool(head["starved"])
            ticket.answered.set()
        elif (ticket := self.tickets.pop(head.get("ended", -1), None)) is not None:
            ticket.status, ticket.cpu = head["status"], head["cpu"]
            ticket.over.set()
            ticket.answered.set()
            self.idle_since = trio.current_time()

    async def send(self, head: Mapping[str, Any], descriptors: Sequence[int] = ()) -> None:
        """Send one request whole, also when cancelled meanwhile. Raises `_WorkerGone`."""
        data = memoryview(wire.frame(head))
        with trio.CancelScope(shield=True, deadline=trio.current_time() + SEND_DEADLINE) as scope:
            async with self._sending:
                try:
                    if descriptors:
                        rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, _packed(descriptors))
                        data = data[await self._control.sendmsg([data], [rights]) :]
                    while data:
                        data = data[await self._control.send(data) :]
                except OSError as error:
                    raise _WorkerGone(str(error)) from None
        if scope.cancelled_caught:
            self.process.kill()
            raise _WorkerGone("it does not read")

    async def kill(self, ticket: _Ticket) -> None:
        """Have a child killed, and wait until it is reaped, even if this is cancelled."""
        with trio.CancelScope(shield=True):
            try:
                await self.send({"kill": ticket.number})
            except _WorkerGone:
                return
            with trio.move_on_after(KILL_GRACE) as scope:
                await ticket.answered.wait()
            if scope.cancelled_caught:
                self.process.kill()  # it does not answer: its children die with it
            with trio.move_on_after(KILL_GRACE) as scope:
                await ticket.over.wait()
            if scope.cancelled_caught:  # no signal reaches a process that waits for a disk
                log.warning("a process that reads media cannot be killed yet", number=ticket.number)

    async def end(self) -> None:
        """Let it end, or end it; its children end with it."""
        self.accepting = False
        self._control.close()
        with trio.CancelScope(shield=True):
            with trio.move_on_after(END_GRACE):
                await self.process.wait()
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            await self.process.wait()
        for ticket in self.tickets.values():
            ticket.over.set()
            ticket.answered.set()
        self.tickets.clear()


class _Arrival:
    """A worker somebody waits for."""

    def __init__(self) -> None:
        self.over = trio.Event()
        self.worker: _Worker | None = None
        self.reason = "the server is stopping"


class Sandbox:
    """Runs jobs on media, at most `children` at once. `serve` is its task and has to be running.

    `command` starts the worker; after `idle` seconds without a job it ends.
    """

    def __init__(self, command: Sequence[str] = WORKER, *, children: int = 4, idle: float = 60.0) -> None:
        self._command = tuple(command)
        self._limiter = trio.CapacityLimiter(children)
        self._idle = idle
        self._worker: _Worker | None = None
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
                arrival, self._arrival = self._arrival, None
                if arrival is not None:
                    await self._keep_worker(arrival)
        finally:
            self._serving = False
            self._worker = None
            if self._arrival is not None:
                self._arrival.over.set()
                self._arrival = None

    async def run(
        self,
        job: str,
        file: int,
        options: Mapping[str, Any] | None = None,
        *,
        deadline: float,
        memory: int = MEMORY,
        limit: int = REPLY_LIMIT,
    ) -> Done:
        """Do `job` on the file behind the descriptor `file`, which stays the caller's.

        `deadline` is in seconds from when the child starts, `memory` in bytes of address space, `limit` in bytes of
        everything answered. Raises `MediaUnreadable`, `SourceUnreadable`, `MediaWorkerFailed`.
        """
        async with self._limiter:
            self._running += 1
            try:
                worker = await self._get_worker()
                self._started += 1
                return await self._attempt(worker, job, file, options or {}, deadline, memory, limit)
            except _WorkerGone as error:
                self._failed += 1
                raise MediaWorkerFailed(f"the process that reads media failed: {error}") from None
            except (MediaUnreadable, SourceUnreadable, MediaWorkerFailed):
                self._failed += 1
                raise
            finally:
                self._running -= 1

    async def _get_worker(self) -> _Worker:
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
            arrival.over.set()
        if worker is None:
            return
        self._worker = worker
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(worker.listen)
                await self._wait_idle(worker)
                nursery.cancel_scope.cancel()
        except* _WorkerGone as group:
            self._restarts += 1
            log.warning("the process that reads media died", reason=str(group.exceptions[0]))
        finally:
            self._worker = None
            await worker.end()

    async def _start_worker(self, arrival: _Arrival) -> _Worker | None:
        ours, theirs = socket.socketpair()
        with theirs:
            control = trio.socket.from_stdlib_socket(ours)
            try:
                process = await trio.lowlevel.open_process(
                    self._command,
                    stdin=theirs.fileno(),
                    stdout=subprocess.DEVNULL,
                    env=_environment(),
                    process_group=0,
                )
            except BaseException as error:
                control.close()
                arrival.reason = str(error)
                if isinstance(error, OSError):
                    return None
                raise
        self._workers += 1
        worker = _Worker(process, control)
        greeted = False
        try:
            with trio.move_on_after(START_DEADLINE):
                await worker.greet()
                greeted = True
        except _WorkerGone as error:
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

    async def _wait_idle(self, worker: _Worker) -> None:
        """Until it had nothing to do for long enough; it accepts nothing more then."""
        while True:
            rest = worker.idle_since + self._idle - trio.current_time()
            if worker.tickets:
                rest = self._idle
            elif rest <= 0:
                worker.accepting = False
                return
            await trio.sleep(rest)

    async def _attempt(
        self,
        worker: _Worker,
        job: str,
        file: int,
        options: Mapping[str, Any],
        deadline: float,
        memory: int,
        limit: int,
    ) -> Done:
        self._number += 1
        ticket = worker.tickets[self._number] = _Ticket(self._number)
        request = {
            "job": job,
            "number": ticket.number,
            "options": dict(options),
            "memory": memory,
            "seconds": int(deadline) + 2,
        }
        ours, theirs = socket.socketpair()
        reply = trio.socket.from_stdlib_socket(ours)
        try:
            with theirs:
                await worker.send(request, (file, theirs.fileno()))
            with trio.move_on_after(deadline) as scope:
                answer = await _Answer(limit).receive(reply)
                await ticket.over.wait()
            if scope.cancelled_caught:
                await worker.kill(ticket)
                raise _out_of_time(ticket, deadline)
            return answer.judge(ticket)
        finally:
            reply.close()
            if not ticket.over.is_set():
                await worker.kill(ticket)


class _Answer:
    """What a child sends, as far as it is taken."""

    def __init__(self, limit: int) -> None:
        self._left = limit
        self._blobs: dict[str, bytes] = {}
        self._end: dict[str, Any] | None = None
        self._wrong: str | None = None

    async def receive(self, reply: trio.socket.SocketType) -> "_Answer":
        """Take everything until the child has closed its end, or there is too much or no sense in it."""
        decoder = wire.Decoder()
        while self._wrong is None:
            try:
                data = await reply.recv(1 << 18)
            except OSError:
                data = b""
            if not data:
                if decoder:
                    self._end = None
                return self
            self._left -= len(data)
            if self._left < 0:
                self._wrong = "reading it makes more than a file may"
                break
            try:
                for head, body in decoder.feed(data):
                    self._take(head, body)
            except wire.Garbled:
                self._wrong = "its parser was made to answer nonsense"
        raise MediaUnreadable(self._wrong)

    def _take(self, head: dict[str, Any], body: bytes) -> None:
        if self._end is not None:
            raise wire.Garbled("something after the end")
        if "blob" not in head:
            self._end = head
            return
        name = head["blob"]
        if not isinstance(name, str) or name in self._blobs or len(self._blobs) >= BLOB_LIMIT:
            raise wire.Garbled("a file without a name of its own, or too many")
        self._blobs[name] = body

    def judge(self, ticket: _Ticket) -> Done:
        """What it means. Raises what `Sandbox.run` does."""
        match self._end:
            case {"result": dict() as result}:
                return Done(result, self._blobs)
            case {"unreadable": str() as reason}:
                raise MediaUnreadable(reason[:500])
            case {"disk": str() as reason}:
                raise SourceUnreadable(f"reading the file failed: {reason[:500]}")
            case {"fault": str() as reason}:
                raise MediaWorkerFailed(f"the process that reads media failed: {reason[:500]}")
            case None:
                raise _ended_early(ticket.status)
        raise MediaUnreadable("its parser was made to answer nonsense")


def _ended_early(status: int | None) -> MediaUnreadable | MediaWorkerFailed:
    """Why there is no answer, by the status wait(2) gave."""
    if status is None:
        return MediaWorkerFailed("the process that reads media died")
    code = os.waitstatus_to_exitcode(status)
    if code == -signal.SIGXCPU:
        return MediaUnreadable("it takes too long to read")
    if code in (-signal.SIGKILL, -signal.SIGTERM, -signal.SIGINT, -signal.SIGHUP) or code >= 0:
        return MediaWorkerFailed(f"the process that reads media was ended from outside ({_exit(code)})")
    return MediaUnreadable(f"its parser crashed ({_exit(code)})")


def _exit(code: int) -> str:
    if code >= 0:
        return f"status {code}"
    with suppress(ValueError):
        return signal.Signals(-code).name
    return f"signal {-code}"


def _out_of_time(ticket: _Ticket, deadline: float) -> MediaUnreadable | SourceUnreadable | MediaWorkerFailed:
    """Whose fault it is that a job took too long."""
    if ticket.reading:
        return SourceUnreadable(f"the disk did not answer in {deadline:g} s")
    if ticket.starved and ticket.cpu < STARVED * deadline:
        return MediaWorkerFailed(f"in {deadline:g} s the machine had too little time for it")
    return MediaUnreadable(f"it takes longer than {deadline:g} s to read")


def _environment() -> dict[str, str]:
    """What the worker may know of this server's environment: no setting, and no secret."""
    return {
        name: value
        for name, value in os.environ.items()
        if name in _PASSED_ON or name.startswith(_PASSED_ON_BEGINNINGS)
    }


def _packed(descriptors: Sequence[int]) -> bytes:
    return b"".join(descriptor.to_bytes(4, sys.byteorder) for descriptor in descriptors)
