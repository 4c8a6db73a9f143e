"""Byte ranges of a file to a socket, without waiting: by `sendfile(2)`, or by way of a buffer where they are short.

A call for each of some hundred short ranges costs more than a copy of them all. Everybody's are gathered in the same
buffer, which stays in the processor's cache; what the socket does not take of it is kept for the next time.

Holding packets back between the calls (`TCP_CORK`) would save a short packet behind each range, and costs many times
what it saves.
"""

import errno
import os
import socket
from bisect import bisect_left
from itertools import accumulate

from trio_stream.server.sending.chunks import FileChunk
from trio_stream.server.sending.gathering import gather

LONG = 12 * 1024
"""Ranges of so many bytes on average cost less by `sendfile`."""

# One for everybody, as nothing waits while it is in use. What a socket does not take is copied out of it.
_SHARED = memoryview(bytearray(256 * 1024))


class Sendfile:
    """How far the ranges of a chunk have been sent."""

    def __init__(self, sock: socket.socket, chunk: FileChunk) -> None:
        self._sock = sock
        self._fd = chunk.fd
        self._sent = chunk.sent
        self._ranges = chunk.ranges
        self._short = chunk.length < len(chunk.ranges) * LONG
        self._ends = list(accumulate([length for _, length in chunk.ranges]))
        self._at, self._number = 0, 0  # where the next byte is: in all of them together, and in which one
        self._kept = memoryview(b"")  # what was gathered and has not gone

    def send(self, _: int, count: int) -> int:
        """Send the next `count` bytes, or as many as there is room for.

        Raises `OSError`: `EFAULT` where the file ends before its range does.
        """
        done = self._send_gathered(count) if self._short else self._send_ranges(count)
        if done and self._sent is not None:
            self._sent(done)
        return done

    def _send_ranges(self, count: int) -> int:
        sock, fd, sendfile = self._sock.fileno(), self._fd, os.sendfile
        done = 0
        try:
            while done < count:
                offset, length = self._ranges[self._number]
                left = self._ends[self._number] - self._at
                asked = min(left, count - done)
                step = sendfile(sock, fd, offset + length - left, asked)
                if step == 0:  # behind the end of the file; a view from there would be this error by itself
                    raise _ends_early()
                done += step
                self._at += step
                self._number += step == left
                if step < asked:
                    break
        except BlockingIOError:
            pass  # full: what has gone before it counts
        return done

    def _send_gathered(self, count: int) -> int:
        done = 0
        while done < count:
            fresh = not self._kept
            data = self._gather(min(count - done, len(_SHARED))) if fresh else self._kept[: count - done]
            try:
                step = self._sock.send(data)
            except BlockingIOError:
                step = 0
            done += step
            if fresh:
                self._kept = memoryview(bytes(data[step:]))  # the buffer is somebody else's from here on
            else:
                self._kept = self._kept[step:]
            if step < len(data):
                break
        return done

    def _gather(self, count: int) -> memoryview:
        """The next `count` bytes, in the shared buffer."""
        first, stop = self._number, self._at + count
        last = bisect_left(self._ends, stop, first)
        ranges = list(self._ranges[first : last + 1])
        offset, length = ranges[0]
        gone = length - (self._ends[first] - self._at)
        ranges[0] = offset + gone, length - gone
        offset, length = ranges[-1]
        over = self._ends[last] - stop
        ranges[-1] = offset, length - over
        self._at, self._number = stop, last if over else last + 1
        if not gather(self._fd, _SHARED, ranges):
            raise _ends_early()
        return _SHARED[:count]


def _ends_early() -> OSError:
    return OSError(errno.EFAULT, "the file ends early")
