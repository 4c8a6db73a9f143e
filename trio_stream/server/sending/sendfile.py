"""Send byte ranges of a file to a socket, without waiting: by `sendfile(2)`, or through a buffer if they are short.

One call for each of a hundred short ranges costs more than a copy of them all. All connections share one buffer, which
stays in the processor's cache. Data that the socket does not accept is kept for the next call.

Holding packets back between the calls (`TCP_CORK`) would save a short packet after each range, but costs many times
as much.
"""

import errno
import os
import socket
from bisect import bisect_left
from itertools import accumulate

from trio_stream.server.sending.chunks import FileChunk
from trio_stream.server.sending.gathering import gather

LONG = 12 * 1024
"""Ranges of at least this many bytes on average cost less with `sendfile`."""

# Shared by all connections, since nothing waits while it is in use. Data the socket does not accept is copied out.
_SHARED = memoryview(bytearray(256 * 1024))


class Sendfile:
    """Sends the ranges of one chunk, and tracks how much was sent."""

    def __init__(self, sock: socket.socket, chunk: FileChunk) -> None:
        self._sock = sock
        self._fd = chunk.fd
        self._sent = chunk.sent
        self._ranges = chunk.ranges
        self._short = chunk.length < len(chunk.ranges) * LONG
        self._ends = list(accumulate([length for _, length in chunk.ranges]))
        self._at, self._number = 0, 0  # the next byte: its position in all ranges together, and its range
        self._unsent = memoryview(b"")  # gathered and not sent yet

    def send(self, _: int, count: int) -> int:
        """Send the next `count` bytes, or as many as there is room for. Return their number.

        Raises `OSError`, with `EFAULT` if the file ends before the range does.
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
                wanted = min(left, count - done)
                step = sendfile(sock, fd, offset + length - left, wanted)
                if step == 0:  # past the end of the file, where a view would raise this error by itself
                    raise _ends_early()
                done += step
                self._at += step
                self._number += step == left
                if step < wanted:
                    break
        except BlockingIOError:
            pass  # the socket is full: return what was sent before
        return done

    def _send_gathered(self, count: int) -> int:
        done = 0
        while done < count:
            fresh = not self._unsent
            data = self._gather(min(count - done, len(_SHARED))) if fresh else self._unsent[: count - done]
            try:
                step = self._sock.send(data)
            except BlockingIOError:
                step = 0
            done += step
            if fresh:
                self._unsent = memoryview(bytes(data[step:]))  # others use the buffer from here on
            else:
                self._unsent = self._unsent[step:]
            if step < len(data):
                break
        return done

    def _gather(self, count: int) -> memoryview:
        """Read the next `count` bytes into the shared buffer."""
        first, stop = self._number, self._at + count
        last = bisect_left(self._ends, stop, first)
        ranges = list(self._ranges[first : last + 1])
        offset, length = ranges[0]
        done = length - (self._ends[first] - self._at)
        ranges[0] = offset + done, length - done
        offset, length = ranges[-1]
        left = self._ends[last] - stop
        ranges[-1] = offset, length - left
        self._at, self._number = stop, last if left else last + 1
        if not gather(self._fd, _SHARED, ranges):
            raise _ends_early()
        return _SHARED[:count]


def _ends_early() -> OSError:
    return OSError(errno.EFAULT, "the file ends early")
