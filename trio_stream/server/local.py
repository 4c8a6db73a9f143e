"""Serve the same application on a Unix socket, for this machine only.

Only users who may access the socket's folder can connect. The socket belongs to the task that opened it, and is removed
with it.
"""

import os
import socket
from contextlib import suppress
from functools import partial
from typing import Any

import trio
from hypercorn.app_wrappers import ASGIWrapper
from hypercorn.config import Config
from hypercorn.trio.worker_context import WorkerContext
from hypercorn.typing import ASGIFramework, ConnectionState

from trio_stream.server.tcp.connection import Connection

BACKLOG = 1024

LOCAL = "trio_stream.local"
"""Key in `scope["state"]` of requests that came over the local socket."""


async def serve_local(
    app: ASGIFramework, path: str, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
) -> None:
    """Serve `app` on a Unix socket at `path` until cancelled. An existing socket is replaced.

    Cancellation ends the connections at once. Raises `OSError` if the socket cannot be created.
    """
    sock = socket.socket(socket.AF_UNIX)
    try:
        with suppress(FileNotFoundError):
            os.unlink(path)
        sock.bind(path)
        os.chmod(path, 0o600)
        sock.listen(BACKLOG)
        listener = trio.SocketListener(trio.socket.from_stdlib_socket(sock))
        connection: Any = partial(
            Connection, ASGIWrapper(app), Config(), WorkerContext(None), ConnectionState({LOCAL: True})
        )
        async with trio.open_nursery() as nursery:
            nursery.start_soon(partial(trio.serve_listeners, connection, [listener], handler_nursery=nursery))
            task_status.started()
    finally:
        sock.close()
        with suppress(OSError):
            os.unlink(path)
