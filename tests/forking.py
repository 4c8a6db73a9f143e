"""Starts Hypercorn without importing everything each time, which is most of the cost of starting a server.

A separate process imports the libraries and Trio Stream, except the application, and forks for each server. The forked
process continues like `python -m hypercorn`, with the given folder, environment and arguments, until it exits. Only the
application reads settings when it is imported.

Servers with workers, and those whose coverage is measured, start as users start them (`tests.support.launch`).
"""

import atexit
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

IMPORTED = (
    "alembic.command",
    "click",
    "httpx",
    "hypercorn.config",
    "hypercorn.protocol.h2",
    "hypercorn.protocol.h11",
    "hypercorn.run",
    "hypercorn.trio.run",
    "prometheus_client",
    "psutil",
    "quart_trio",
    "sqlalchemy.dialects.postgresql",
    "sqlalchemy.dialects.sqlite",
    "structlog",
    "watchfiles",
    "trio_stream.server.install",
    "trio_stream.web.openapi.document",
)

REPOSITORY = Path(__file__).parents[1]


class Forked:
    """A process that another one forked, with the interface of `subprocess.Popen`."""

    def __init__(self, connection: socket.socket) -> None:
        self._file = connection.makefile("rb")
        self._socket = connection
        self.pid = int(self._file.readline())
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Its exit code, or the negative number of the signal that ended it; None while it runs."""
        if self.returncode is None and select.select([self._socket], [], [], 0)[0]:
            self._end()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait until it ends; raises `TimeoutExpired` after `timeout` seconds."""
        if self.returncode is None:
            if not select.select([self._socket], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired("hypercorn", timeout or 0)
            self._end()
        assert self.returncode is not None
        return self.returncode

    def _end(self) -> None:
        self.returncode = int(self._file.readline())
        self._file.close()
        self._socket.close()

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


class Forks:
    """A process that forks servers."""

    def __init__(self) -> None:
        self._ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.forking", str(theirs.fileno())],
                cwd=REPOSITORY,
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )
        self.pid = self._process.pid
        atexit.register(self._end)
        self._turn = threading.Lock()

    def _end(self) -> None:
        self._ours.close()
        self._process.wait()

    def start(self, arguments: list[str], *, cwd: Path, log: Path, environ: Mapping[str, str]) -> Forked:
        """Start `python -m hypercorn` with its output in `log`."""
        ours, theirs = socket.socketpair()
        with theirs:
            request = {
                "arguments": arguments,
                "cwd": str(cwd.absolute()),
                "log": str(log.absolute()),
                "environ": dict(environ),
            }
            message = json.dumps(request).encode()
            with self._turn:
                socket.send_fds(self._ours, [len(message).to_bytes(4)], [theirs.fileno()])
                self._ours.sendall(message)
        return Forked(ours)


@cache
def forks() -> Forks:
    """The forking process of this process. It ends with it, and its resource use is counted."""
    return Forks()


def _serve(server_socket: socket.socket) -> dict[str, Any] | None:
    """Fork for each request. Returns the request in each forked process, and None once the client is gone."""
    running: dict[
        int, tuple[int, socket.socket]
    ] = {}  # the process and the socket to report its end to, by its pidfd
    waiting = select.poll()
    waiting.register(server_socket, select.POLLIN)
    while True:
        for ready, _ in waiting.poll():
            if ready in running:
                waiting.unregister(ready)
                pid, reply_socket = running.pop(ready)
                os.close(ready)
                _, status = os.waitpid(pid, 0)
                _reply(reply_socket, os.waitstatus_to_exitcode(status))
                reply_socket.close()
                continue
            size, descriptors, _, _ = socket.recv_fds(server_socket, 4, 1)
            if not size:
                return None
            request: dict[str, Any] = json.loads(_read(server_socket, int.from_bytes(size)))
            reply_socket = socket.socket(fileno=descriptors[0])
            pid = os.fork()
            if not pid:
                server_socket.close()
                reply_socket.close()
                for descriptor, (_, other) in running.items():
                    os.close(descriptor)
                    other.close()
                return request
            descriptor = os.pidfd_open(pid)
            running[descriptor] = (pid, reply_socket)
            waiting.register(descriptor, select.POLLIN)
            _reply(reply_socket, pid)


def _read(stream: socket.socket, size: int) -> bytes:
    return stream.recv(size, socket.MSG_WAITALL)


def _reply(reply_socket: socket.socket, number: int) -> None:
    with suppress(BrokenPipeError):  # the client is gone
        reply_socket.sendall(f"{number}\n".encode())


def _become(request: Mapping[str, Any]) -> None:
    """Continue as the requested program."""
    output = os.open(request["log"], os.O_WRONLY | os.O_APPEND)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.close(output)
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["environ"])
    sys.path[0] = request["cwd"]  # as `python -m` has it
    sys.argv[:] = ["hypercorn", *request["arguments"]]
    runpy.run_module("hypercorn", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    for module in IMPORTED:
        import_module(module)
    if (request := _serve(socket.socket(fileno=int(sys.argv[1])))) is not None:
        _become(request)
