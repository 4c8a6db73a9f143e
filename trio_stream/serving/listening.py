"""The listening sockets of a server. They are made once, before anything else starts, and each that cannot be had is a
sentence that names its address."""

import errno
import os
import socket
from copy import copy

from hypercorn.config import Config, Sockets, SocketTypeError

from trio_stream.errors import CannotListen
from trio_stream.server.worker import BACKLOG, tls_fault

UNIX = "unix:"

WHY = {
    errno.EADDRINUSE: "another program uses it: stop that one, or choose another address with --bind",
    errno.EADDRNOTAVAIL: "this machine has no such address",
    errno.EBADF: "no such descriptor was handed to this process",
}


def open_sockets(config: Config) -> Sockets:
    """The sockets of all addresses of `config`; those of streams listen. Raises `CannotListen`."""
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
    """Close this process's copies."""
    for each in (*sockets.secure_sockets, *sockets.insecure_sockets, *sockets.quic_sockets):
        each.close()


def check_addresses(config: Config) -> None:
    """Find out whether a server could listen, and leave nothing behind. Raises `CannotListen`."""
    sockets = open_sockets(config)
    paths = [
        each.getsockname() for each in sockets.insecure_sockets + sockets.secure_sockets if _is_unix(each)
    ]
    close_sockets(sockets)
    for path in paths:
        os.unlink(path)


def _add(found: Sockets, config: Config, kind: str, address: str) -> None:
    """Open one address and add it to `found`. Hypercorn opens all at once, and its error does not name the one."""
    only = copy(config)
    only.bind, only.insecure_bind, only.quic_bind = [], [], []
    setattr(only, kind, [address])
    only.workers = 1  # with more Hypercorn sets SO_REUSEPORT, and a second server shares the port unnoticed
    if address.startswith(UNIX):
        _refuse_served(address)
    try:
        opened = only.create_sockets()
        found.secure_sockets += opened.secure_sockets
        found.insecure_sockets += opened.insecure_sockets
        found.quic_sockets += opened.quic_sockets
        for each in (*opened.secure_sockets, *opened.insecure_sockets):
            each.listen(max(config.backlog, BACKLOG))
    except (OSError, OverflowError, ValueError, SocketTypeError) as error:
        raise CannotListen(f"cannot listen at {address}: {why_not(address, error)}") from error


def _refuse_served(address: str) -> None:
    """Raise if a server listens at this Unix socket: Hypercorn would unlink it, and nobody would find that server."""
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(1)
        try:
            probe.connect(address.removeprefix(UNIX))
        except TimeoutError:
            pass  # it listens, and many wait
        except OSError:
            return
    raise CannotListen(f"cannot listen at {address}: {WHY[errno.EADDRINUSE]}")


def _is_unix(sock: socket.socket) -> bool:
    return sock.family == socket.AF_UNIX and isinstance(sock.getsockname(), str)


def why_not(address: str, error: Exception) -> str:
    """Why a server cannot listen there, for people."""
    if isinstance(error, socket.gaierror):
        return "no such host is known"
    if isinstance(error, PermissionError) and not address.startswith(UNIX):
        return "this user may not use it; ports below 1024 are reserved on most systems"
    if isinstance(error, OSError):
        if address.startswith(UNIX) and error.errno == errno.EADDRINUSE:
            return "something that is no socket has this name"
        return WHY.get(error.errno or 0) or error.strerror or str(error)
    if isinstance(error, OverflowError):
        return "ports are numbers from 0 to 65535"
    return str(error)
