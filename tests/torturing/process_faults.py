"""Faults of a server's processes, except the first one: they are killed, they crash, they are stopped."""

import os
import random
import signal
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress

from tests.torturing.faults import Fault, NotPossible
from tests.torturing.processes import Processes


class ProcessFaults:
    """Faults of the processes of a server that was started as `first`."""

    def __init__(self, processes: Processes, first: int, chance: random.Random) -> None:
        self._processes = processes
        self._first = first
        self._chance = chance

    def all(self) -> list[Fault]:
        return [
            Fault("worker killed", self.killed, group="worker"),
            Fault("worker stopped", self.stopped, longest=6, group="worker"),
            Fault("reader killed", self.reader_killed),
            Fault("reader stopped", self.reader_stopped),
        ]

    @asynccontextmanager
    async def killed(self) -> AsyncIterator[None]:
        self._send([signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT], self._workers())
        yield

    @asynccontextmanager
    async def stopped(self) -> AsyncIterator[None]:
        with self._stopped(self._workers()):
            yield

    @asynccontextmanager
    async def reader_killed(self) -> AsyncIterator[None]:
        # A crash would count as the file's fault, and the file would never be read again.
        self._send([signal.SIGKILL, signal.SIGTERM], self._processes.media_workers())
        yield

    @asynccontextmanager
    async def reader_stopped(self) -> AsyncIterator[None]:
        with self._stopped(self._processes.media_workers()):
            yield

    def _workers(self) -> list[int]:
        return self._processes.serving(self._first)

    def _send(self, signals: Sequence[signal.Signals], pids: Sequence[int]) -> int:
        if not pids:
            raise NotPossible
        pid = self._chance.choice(pids)
        with suppress(ProcessLookupError):
            os.kill(pid, self._chance.choice(signals))
        return pid

    @contextmanager
    def _stopped(self, pids: Sequence[int]) -> Iterator[None]:
        pid = self._send([signal.SIGSTOP], pids)
        try:
            yield
        finally:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
