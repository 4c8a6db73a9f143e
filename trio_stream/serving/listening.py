"""The listening sockets of a server. They are opened once, before anything else starts. An error names its address."""

import errno
import os
import socket
from copy import copy

from hypercorn.config import Config, Sockets, SocketTypeError

from trio_stream.errors import CannotListen
from trio_stream.server.worker import BACKLOG, tls_fault

UNIX = "unix:"

REASONS = {
    errno.EADDRINUSE: "another program uses it: stop that program, or choose another address with --bind",
    errno.EADDRNOTAVAIL: "this machine has no such address",
    errno.EBADF: "this process has no such descriptor",
}


def open_sockets(config: Config) -> Sockets:
    """Open the sockets of all addresses of `config`. Stream sockets listen. Raises `CannotListen`."""
    if (fault := tls_fault(config)) is not None:
        raise CannotListen(fault)
    found = Sockets([], [], [])
    try:
        for kind in ("bind", "insecure_bind", "quic_bind"):
            for address in getattr(config, kind):
                _add(found, config, kind, address)
    except CannotListen:
        close_sockets(found)
        raise
    return found


def close_sockets(sockets: Sockets) -> None:
    """Close this process's copies of the sockets."""
    for sock in (*sockets.secure_sockets, *sockets.insecure_sockets, *sockets.quic_sockets):
        sock.close()


def check_addresses(config: Config) -> None:
    """Check that a server could listen, without leaving sockets behind. Raises `CannotListen`."""
    sockets = open_sockets(config)
    paths = [
        sock.getsockname() for sock in sockets.insecure_sockets + sockets.secure_sockets if _is_unix(sock)
    ]
    close_sockets(sockets)
    for path in paths:
        os.unlink(path)


def _add(found: Sockets, config: Config, kind: str, address: str) -> None:
    """Open one address and add it to `found`. Hypercorn opens all at once, and its error does not name the address."""
    only = copy(config)
    only.bind, only.insecure_bind, only.quic_bind = [], [], []
    setattr(only, kind, [address])
    only.workers = 1  # with more, Hypercorn sets SO_REUSEPORT, and another server could share the port
    if address.startswith(UNIX):
        _refuse_served(address)
    try:
        opened = only.create_sockets()
        found.secure_sockets += opened.secure_sockets
        found.insecure_sockets += opened.insecure_sockets
        found.quic_sockets += opened.quic_sockets
        for sock in (*opened.secure_sockets, *opened.insecure_sockets):
            sock.listen(max(config.backlog, BACKLOG))
    except (OSError, OverflowError, ValueError, SocketTypeError) as error:
        raise CannotListen(f"cannot listen at {address}: {reason_for(address, error)}") from error


def _refuse_served(address: str) -> None:
    """Raise if a server listens on this Unix socket: Hypercorn would unlink it and make that server unreachable."""
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(1)
        try:
            probe.connect(address.removeprefix(UNIX))
        except TimeoutError:
            pass  # it listens, and its queue is full
        except OSError:
            return
    raise CannotListen(f"cannot listen at {address}: {REASONS[errno.EADDRINUSE]}")


def _is_unix(sock: socket.socket) -> bool:
    return sock.family == socket.AF_UNIX and isinstance(sock.getsockname(), str)


def reason_for(address: str, error: Exception) -> str:
    """Return why a server cannot listen there, as text."""
    if isinstance(error, socket.gaierror):
        return "the host name cannot be resolved"
    if isinstance(error, PermissionError) and not address.startswith(UNIX):
        return "this user is not allowed to; ports below 1024 are reserved on most systems"
    if isinstance(error, OSError):
        if address.startswith(UNIX) and error.errno == errno.EADDRINUSE:
            return "a file that is not a socket has this name"
        return REASONS.get(error.errno or 0) or error.strerror or str(error)
    if isinstance(error, OverflowError):
        return "ports are numbers from 0 to 65535"
    return str(error)
