"""The reply of a child, or what is at fault if there is none: the media, the disk, or this server."""

import os
import signal
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import trio

from trio_stream.errors import MediaUnreadable, MediaWorkerFailed, SegmentTooLarge, SourceUnreadable
from trio_stream.media import wire
from trio_stream.media.sandbox.process import Ticket

BLOB_LIMIT = 1000
"""Files that a job may send."""

INVALID = "the media parser returned invalid data"

STARVED = 0.25
"""A job that passed its deadline was starved if it used less than this share of the time and was ready to run."""


@dataclass(frozen=True, slots=True)
class Done:
    """The reply of a job: its result, and its files in order."""

    result: dict[str, Any]
    blobs: dict[str, bytes]


class JobReply:
    """Collects the reply of a child, up to the limits."""

    def __init__(self, limit: int) -> None:
        self._remaining = limit
        self._blobs: dict[str, bytes] = {}
        self._end: dict[str, Any] | None = None
        self._problem: str | None = None

    async def receive(self, reply: trio.socket.SocketType) -> "JobReply":
        """Receive until the child closes its end. Raises `MediaUnreadable` for too much, or for invalid data."""
        decoder = wire.Decoder()
        while self._problem is None:
            try:
                data = await reply.recv(1 << 18)
            except OSError:
                data = b""
            if not data:
                if decoder:
                    self._end = None  # it died within a message, so an earlier end does not count
                return self
            self._remaining -= len(data)
            if self._remaining < 0:
                self._problem = "reading the file produces more data than allowed"
                break
            try:
                for head, body in decoder.feed(data):
                    self._take(head, body)
            except wire.Garbled:
                self._problem = INVALID
        raise MediaUnreadable(self._problem)

    def _take(self, head: dict[str, Any], body: bytes) -> None:
        if self._end is not None:
            raise wire.Garbled("a message after the end")
        if "blob" not in head:
            self._end = head
            return
        name = head["blob"]
        if not isinstance(name, str) or name in self._blobs or len(self._blobs) >= BLOB_LIMIT:
            raise wire.Garbled("a file without a unique name, or too many files")
        self._blobs[name] = body

    def result_of(self, ticket: Ticket) -> Done:
        """Return the result, or raise what `Sandbox.run` raises."""
        match self._end:
            case {"result": dict() as result}:
                return Done(result, self._blobs)
            case {"unreadable": str() as reason}:
                # The file may control the reason, which is stored in the database.
                raise MediaUnreadable(reason[:500])
            case {"too_large": str() as reason}:
                raise SegmentTooLarge(reason[:500])
            case {"disk": str() as reason}:
                raise SourceUnreadable(f"reading the file failed: {reason[:500]}")
            case {"fault": str() as reason}:
                raise MediaWorkerFailed(f"the media worker failed: {reason[:500]}")
            case None:
                raise ended_early(ticket.status)
        raise MediaUnreadable(INVALID)


def ended_early(status: int | None) -> MediaUnreadable | MediaWorkerFailed:
    """Return why there is no reply, from the status of wait(2)."""
    if status is None:
        return MediaWorkerFailed("the media worker died")
    code = os.waitstatus_to_exitcode(status)
    if code == -signal.SIGXCPU:  # our limit on CPU time
        return MediaUnreadable("reading the file takes too long")
    # An operator did that, or the kernel when it ran out of memory: it says nothing about the media. A child that exits
    # without a reply is treated in the same way; at worst the job is tried again.
    if code in (-signal.SIGKILL, -signal.SIGTERM, -signal.SIGINT, -signal.SIGHUP) or code >= 0:
        return MediaWorkerFailed(f"the media worker was ended from outside ({_exit_name(code)})")
    return MediaUnreadable(f"the media parser crashed ({_exit_name(code)})")


def _exit_name(code: int) -> str:
    if code >= 0:
        return f"status {code}"
    with suppress(ValueError):
        return signal.Signals(-code).name
    return f"signal {-code}"


def out_of_time(ticket: Ticket, deadline: float) -> MediaUnreadable | SourceUnreadable | MediaWorkerFailed:
    """Decide what is at fault if a job passed its deadline: the disk, this server, or the media."""
    if ticket.reading:  # it was waiting for the disk when the worker killed it
        return SourceUnreadable(f"the disk did not respond within {deadline:g} s")
    if ticket.starved and ticket.cpu < STARVED * deadline:
        return MediaWorkerFailed(f"the machine was too busy to read the file within {deadline:g} s")
    return MediaUnreadable(f"reading the file takes longer than {deadline:g} s")
