"""The parent of several workers. It logs and replaces each one that dies, while the others continue to serve.

The workers are Hypercorn's, with our guards. Each is a new process, spawned by `multiprocessing` as in Hypercorn's own
master, so a worker knows its parent and notices its end. They share the listening sockets of this process, which serves
nothing itself. It is small, so it survives when the system runs out of memory.

Until one worker has served, nothing is retried: the reason that stops the first one would stop the next one too.
"""

import os
import signal
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import get_context, resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess

import psutil
import structlog
import trio
from hypercorn.config import Config, Sockets

from trio_stream.backoff import Backoff
from trio_stream.serving.endings import describe, exit_status
from trio_stream.serving.listening import close_sockets
from trio_stream.serving.worker import work

log = structlog.get_logger("trio_stream.serving")

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

DRAINED = (0, -signal.SIGTERM)
"""Exit codes of a worker that was stopped. It has the second one if the signal came before it could drain. The signal
may have been sent to all processes at once, and this process may not have received it yet."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a worker ended: its exit code, or minus a signal number. `pid` is None if it could not be started."""

    pid: int | None
    code: int
    reason: str


def supervise(arguments: Sequence[str], config: Config, sockets: Sockets, *, restart: bool) -> int:
    """Serve with `config.workers` workers until stopped. Return the exit status, the worst of the workers'.

    Without `restart`, the first worker that dies ends the server: the others drain.
    """
    status = trio.run(Supervisor(arguments, config, sockets, restart=restart).run)
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)  # only the exit is left, and no signal may change its status
    return status


class Supervisor:
    """Starts and replaces the workers, which are numbered from 1, and collects how they ended."""

    def __init__(self, arguments: Sequence[str], config: Config, sockets: Sockets, *, restart: bool) -> None:
        self._arguments = arguments
        self._workers = config.workers
        self._daemon = config.daemon
        self._sockets = sockets
        self._restart = restart
        self._spawn = get_context("spawn")
        self._running: dict[int, SpawnProcess] = {}
        self._signalled: set[int] = set()  # process ids of workers that were told to stop
        self._statuses: dict[int, int] = {}  # of workers that died, until another one serves in their place
        self._served = trio.Event()  # set when the first worker serves
        self._stopping = trio.Event()

    async def run(self) -> int:
        """Keep the workers running until stopped. Return the exit status."""
        resource_tracker.ensure_running()  # it unblocks SIGINT as it starts (see `_interrupts_wait`)
        hangup_is_ignored = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN  # by `nohup`
        with trio.open_signal_receiver(*SIGNALS[: 2 if hangup_is_ignored else 3]) as signals:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._forward_signals, signals)
                if os.getpid() == 1:
                    nursery.start_soon(self._reap_orphans)
                async with trio.open_nursery() as workers:
                    await self._start(workers)
                nursery.cancel_scope.cancel()
        return max(self._statuses.values(), default=0)

    async def _start(self, workers: trio.Nursery) -> None:
        """Start one worker, and the others once it serves, so that an error at the start is shown only once."""
        workers.start_soon(self._keep_running, 1)
        async with trio.open_nursery() as nursery:
            for event in (self._served, self._stopping):
                nursery.start_soon(_cancel_after, event, nursery.cancel_scope)
        for number in range(2, self._workers + 1):
            workers.start_soon(self._keep_running, number)

    async def _keep_running(self, number: int) -> None:
        """Keep a worker of this number running until the server stops."""
        backoff = Backoff()
        while not self._stopping.is_set():
            since = trio.current_time()
            ended = await self._run_worker(number)
            if ended.code in DRAINED or (ended.pid in self._signalled and -ended.code in SIGNALS):
                continue
            self._statuses[number] = exit_status(ended.code)
            worker_log = log.bind(worker=number, pid=ended.pid, of=ended.reason)
            if self._stopping.is_set():
                worker_log.error("a worker died while stopping")
            elif not self._served.is_set():
                if ended.code < 0 or ended.pid is None:  # otherwise the worker has printed the reason
                    worker_log.error("the server does not start: its first worker died")
                self._stop(signal.SIGTERM)
            elif not self._restart:
                worker_log.error("a worker died, so the server stops")
                self._stop(signal.SIGTERM)
            else:
                pause = backoff.after(trio.current_time() - since)
                worker_log.error("a worker died", again_in=pause)
                with trio.move_on_after(pause):
                    await self._stopping.wait()

    async def _run_worker(self, number: int) -> Ended:
        """Start a worker and wait for its end."""
        try:
            process, serving = self._spawn_worker(number)
        except OSError as error:  # out of memory, processes or descriptors
            return Ended(None, 1, f"it could not be started: {error.strerror}")
        self._running[number] = process
        log.debug("a worker starts", worker=number, pid=process.pid)
        try:
            with serving:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self._wait_served, number, serving)
                    await trio.lowlevel.wait_readable(process.sentinel)
                    nursery.cancel_scope.cancel()
        finally:  # if this is cancelled, the worker drains: `multiprocessing` terminates and reaps it at exit
            del self._running[number]
        process.join()
        code = process.exitcode or 0
        return Ended(process.pid, code, describe(code))

    def _spawn_worker(self, number: int) -> tuple[SpawnProcess, Connection]:
        """Start a process. Return it with the connection through which it reports that it serves."""
        serving, serves = self._spawn.Pipe(duplex=False)
        with serves:
            process = self._spawn.Process(
                target=work,
                args=(self._arguments, self._sockets, serves),
                name=f"worker-{number}",
                daemon=self._daemon,
            )
            try:
                with _interrupts_wait():
                    process.start()
            except OSError:
                serving.close()
                raise
        return process, serving

    async def _wait_served(self, number: int, serving: Connection) -> None:
        """Record that a worker serves, once it reports that."""
        await trio.lowlevel.wait_readable(serving.fileno())
        with suppress(EOFError):  # it ended instead
            serving.recv_bytes()
            self._statuses.pop(number, None)
            self._served.set()

    async def _forward_signals(self, signals: AsyncIterator[int]) -> None:
        """Forward signals to the workers. After SIGHUP they drain and are replaced, as with Hypercorn's master, unless
        the signal means that the terminal was closed."""
        in_terminal = _has_terminal()
        async for number in signals:
            if number != signal.SIGHUP:
                self._stop(number)
            elif in_terminal:
                self._stop(signal.SIGTERM)
            else:
                log.info("replacing the workers", reason="SIGHUP")
                self._signal(signal.SIGTERM)

    async def _reap_orphans(self) -> None:
        """Reap processes whose parent died: the first process of a container becomes their parent."""
        with trio.open_signal_receiver(signal.SIGCHLD) as ended:
            async for _ in ended:
                ours = {process.pid for process in self._running.values()}
                for child in psutil.Process().children():
                    if child.pid not in ours:
                        with suppress(ChildProcessError):
                            os.waitpid(child.pid, os.WNOHANG)  # noqa: ASYNC222 - it does not wait

    def _stop(self, number: int) -> None:
        self._stopping.set()
        close_sockets(self._sockets)  # the workers close theirs too, so new connections are refused
        self._signal(number)

    def _signal(self, number: int) -> None:
        for process in self._running.values():
            if (pid := process.pid) is not None:
                self._signalled.add(pid)
                os.kill(pid, number)  # not reaped yet, so the pid is still this worker's


async def _cancel_after(event: trio.Event, scope: trio.CancelScope) -> None:
    await event.wait()
    scope.cancel()


def _has_terminal() -> bool:
    """Return whether this process has a terminal, and would get a SIGHUP when it closes."""
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True


@contextmanager
def _interrupts_wait() -> Iterator[None]:
    """Block SIGINT in processes started within this block, until they are ready for it (see `work`).

    A terminal sends SIGINT to all of them. Python would end a worker that is still importing with a traceback.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
