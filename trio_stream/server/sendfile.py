"""Spans of a file to a socket, by `sendfile(2)`: one call for each span, and none of them waits.

Holding packets back between the calls (`TCP_CORK`) would save a short packet behind each span, and costs many times
what it saves.
"""

import errno
import os
import socket

from trio_stream.server.pieces import FileSpans


class Sendfile:
    """How far some spans have been sent."""

    def __init__(self, sock: socket.socket, spans: FileSpans) -> None:
        self._sock = sock
        self._file = spans.fd
        self._sent = spans.sent
        self._spans = iter(spans.spans)
        self._offset, self._left = 0, 0  # of the span that is being sent

    def send(self, _: int, count: int) -> int:
        """Send the next `count` bytes, or as many as there is room for.

        Raises `OSError`: `EFAULT` where the file ends before its span does.
        """
        sock, file, sendfile = self._sock.fileno(), self._file, os.sendfile
        offset, left, done = self._offset, self._left, 0
        try:
            while done < count:
                if not left:
                    offset, left = next(self._spans)
                asked = min(left, count - done)
                step = sendfile(sock, file, offset, asked)
                if step == 0:
                    raise OSError(errno.EFAULT, "the file ends early")
                offset, left, done = offset + step, left - step, done + step
                if step < asked:
                    break
        except BlockingIOError:
            pass
        self._offset, self._left = offset, left
        if done and self._sent is not None:
            self._sent(done)
        return done
