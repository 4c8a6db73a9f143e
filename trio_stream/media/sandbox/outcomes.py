"""What a child answers, and what it means that it does not: the media's fault, the disk's, or this server's."""

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
"""Files a job may make."""

STARVED = 0.25
"""A job that was out of time got no processor if it used less than this share of the time, and wanted more."""


@dataclass(frozen=True, slots=True)
class Done:
    """What a job answered: its result, and the files it made in their order."""

    result: dict[str, Any]
    blobs: dict[str, bytes]


class JobReply:
    """What a child sends, as far as it is taken."""

    def __init__(self, limit: int) -> None:
        self._left = limit
        self._blobs: dict[str, bytes] = {}
        self._end: dict[str, Any] | None = None
        self._wrong: str | None = None

    async def receive(self, reply: trio.socket.SocketType) -> "JobReply":
        """Take everything until the child has closed its end, or there is too much or no sense in it."""
        decoder = wire.Decoder()
        while self._wrong is None:
            try:
                data = await reply.recv(1 << 18)
            except OSError:
                data = b""
            if not data:
                if decoder:
                    self._end = (
                        None  # it died within a message: what it said before that was its end is no end
                    )
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

    def judge(self, ticket: Ticket) -> Done:
        """What it means. Raises what `Sandbox.run` does."""
        match self._end:
            case {"result": dict() as result}:
                return Done(result, self._blobs)
            case {"unreadable": str() as reason}:
                # A reason may be made up by the file, and is kept in a row.
                raise MediaUnreadable(reason[:500])
            case {"too_large": str() as reason}:
                raise SegmentTooLarge(reason[:500])
            case {"disk": str() as reason}:
                raise SourceUnreadable(f"reading the file failed: {reason[:500]}")
            case {"fault": str() as reason}:
                raise MediaWorkerFailed(f"the process that reads media failed: {reason[:500]}")
            case None:
                raise ended_early(ticket.status)
        raise MediaUnreadable("its parser was made to answer nonsense")


def ended_early(status: int | None) -> MediaUnreadable | MediaWorkerFailed:
    """Why there is no answer, by the status wait(2) gave."""
    if status is None:
        return MediaWorkerFailed("the process that reads media died")
    code = os.waitstatus_to_exitcode(status)
    if code == -signal.SIGXCPU:  # the limit on processor time, which is ours
        return MediaUnreadable("it takes too long to read")
    # An operator did that, or the system when it had no memory left: nothing is known of the media. What exits without
    # a word counts with them; at worst it is tried again.
    if code in (-signal.SIGKILL, -signal.SIGTERM, -signal.SIGINT, -signal.SIGHUP) or code >= 0:
        return MediaWorkerFailed(f"the process that reads media was ended from outside ({_exit(code)})")
    return MediaUnreadable(f"its parser crashed ({_exit(code)})")


def _exit(code: int) -> str:
    if code >= 0:
        return f"status {code}"
    with suppress(ValueError):
        return signal.Signals(-code).name
    return f"signal {-code}"


def out_of_time(ticket: Ticket, deadline: float) -> MediaUnreadable | SourceUnreadable | MediaWorkerFailed:
    """Whose fault it is that a job took too long."""
    if ticket.reading:  # the worker saw it waiting for the disk when it killed it
        return SourceUnreadable(f"the disk did not answer in {deadline:g} s")
    if ticket.starved and ticket.cpu < STARVED * deadline:
        return MediaWorkerFailed(f"in {deadline:g} s the machine had too little time for it")
    return MediaUnreadable(f"it takes longer than {deadline:g} s to read")
