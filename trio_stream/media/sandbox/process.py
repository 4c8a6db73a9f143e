"""A running worker process, as the server sees it: requests are sent whole, and invalid replies end it.

Every wait here has a timeout: a worker that does not read, reply or exit is killed.
"""

import socket
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog
import trio

from trio_stream.media import wire

KILL_GRACE = 5.0
"""Seconds a worker may take to confirm that it killed a child, and the child to be gone."""

END_GRACE = 1.0
"""Seconds a worker may take to exit."""

SEND_DEADLINE = 10.0
"""Seconds a worker may take to read a request."""

log = structlog.get_logger("trio_stream.media")


@dataclass
class Ticket:
    """One job of a worker."""

    number: int
    over: trio.Event = field(default_factory=trio.Event)
    confirmed: trio.Event = field(default_factory=trio.Event)
    status: int | None = None
    cpu: float = 0.0
    reading: bool = False
    starved: bool = False


class WorkerGone(Exception):
    """The worker ended, or sent invalid data."""


class WorkerProcess:
    """A running worker process, as the server sees it."""

    def __init__(self, process: trio.Process, control: trio.socket.SocketType) -> None:
        self.process = process
        self.accepting = True
        self.tickets: dict[int, Ticket] = {}
        self.idle_since = trio.current_time()
        self.unfiltered: str | None = None
        self._control = control
        self._decoder = wire.Decoder(1 << 20, 0)
        self._sending = trio.Lock()

    async def wait_until_ready(self) -> None:
        """Wait until it is ready. Raises `WorkerGone`."""
        for head in await self._receive():
            if "ready" in head:
                self.unfiltered = str(head["unfiltered"]) if head.get("unfiltered") else None
                return
        raise WorkerGone("it did not report that it is ready")

    async def listen(self) -> None:
        """Process its messages until it ends, which raises `WorkerGone`."""
        while True:
            for head in await self._receive():
                self._dispatch(head)

    async def _receive(self) -> list[dict[str, Any]]:
        try:
            data = await self._control.recv(65536)
            if not data:
                raise WorkerGone("it ended")
            return [head for head, _ in self._decoder.feed(data)]
        except (OSError, wire.Garbled) as error:
            raise WorkerGone(str(error)) from None

    def _dispatch(self, head: Mapping[str, Any]) -> None:
        if (ticket := self.tickets.get(head.get("killed", -1))) is not None:
            ticket.reading, ticket.starved = bool(head["reading"]), bool(head["starved"])
            ticket.confirmed.set()
        elif (ticket := self.tickets.pop(head.get("ended", -1), None)) is not None:
            ticket.status, ticket.cpu = head["status"], head["cpu"]
            ticket.over.set()
            ticket.confirmed.set()
            self.idle_since = trio.current_time()

    async def send(self, request: bytes, descriptors: Sequence[int] = ()) -> None:
        """Send one request, a frame, completely, even if cancelled. Raises `WorkerGone`."""
        data = memoryview(request)
        # Half a frame would corrupt all later ones, for all jobs of this worker.
        with trio.CancelScope(shield=True, deadline=trio.current_time() + SEND_DEADLINE) as scope:
            async with self._sending:
                if self._control.fileno() < 0:
                    raise WorkerGone("it was ended")
                try:
                    if descriptors:
                        rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, _as_bytes(descriptors))
                        # They go with the first byte that is sent (unix(7)): the rest must be sent without them.
                        data = data[await self._control.sendmsg([data], [rights]) :]
                    while data:
                        data = data[await self._control.send(data) :]
                except OSError as error:
                    raise WorkerGone(str(error)) from None
        if scope.cancelled_caught:
            self.process.kill()
            raise WorkerGone("it does not read its requests")

    async def kill(self, ticket: Ticket) -> None:
        """Kill a child, and wait until it is reaped, even if cancelled."""
        # Reaped before the cancellation continues: the caller may then close the file that the child reads.
        with trio.CancelScope(shield=True):
            try:
                await self.send(wire.frame({"kill": ticket.number}))
            except WorkerGone:
                return
            with trio.move_on_after(KILL_GRACE) as scope:
                await ticket.confirmed.wait()
            if scope.cancelled_caught:
                self.process.kill()  # it does not reply; its children die with it
            with trio.move_on_after(KILL_GRACE) as scope:
                await ticket.over.wait()
            if scope.cancelled_caught:  # no signal reaches a process that waits for the disk
                log.warning("a process of the media worker cannot be killed yet", number=ticket.number)

    async def end(self) -> None:
        """Let the worker exit, or kill it; its children end with it."""
        self.accepting = False
        self._control.close()
        with trio.CancelScope(shield=True):
            with trio.move_on_after(END_GRACE):
                await self.process.wait()
            self.process.kill()  # does nothing if it has ended
            await self.process.wait()
        for ticket in self.tickets.values():
            ticket.over.set()
            ticket.confirmed.set()
        self.tickets.clear()


def _as_bytes(descriptors: Sequence[int]) -> bytes:
    return b"".join(descriptor.to_bytes(4, sys.byteorder) for descriptor in descriptors)
