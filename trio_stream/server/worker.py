"""The worker. When it must stop, it accepts nothing new, lets open requests finish within the graceful timeout, cleans
up and exits with status 0.

Hypercorn's workers stop gracefully in one case only: the master sets an event on SIGTERM or Ctrl-C. Other signals end
them at once: the SIGTERM that the master sends to the other workers once the first one has finished, the SIGTERM of a
service manager to all processes, and any SIGTERM with `-w 0`. If the master is killed, its workers keep serving and
keep the port. Here, each of these cases starts the same drain, and only a second Ctrl-C cuts it short. The master waits
for its workers when it exits (`multiprocessing` does that), so it outlives the longest drain.

The listening socket is shared with the master. With `-w 0`, a new connection is refused at once. With workers, it waits
until the master ends, or until a new worker accepts it after a reload. A worker cannot distinguish these cases.
"""

import gc
import signal
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import partial
from math import inf
from multiprocessing import parent_process
from pathlib import Path
from types import FrameType

import structlog
import trio
from hypercorn.config import Config, Sockets
from hypercorn.trio.run import worker_serve as plain_worker_serve
from hypercorn.typing import AppWrapper
from hypercorn.utils import LifespanFailureError

from trio_stream.server.tcp.connection import Connection
from trio_stream.server.tcp.trimming import trimming

log = structlog.get_logger("trio_stream.server")

BACKLOG = 4096
"""Connections that may wait to be accepted. Beyond that, the system drops the first packet, and the client retries
after one, three and seven seconds. Hypercorn's 100 is too few if a thousand viewers connect within seconds."""

GC_THRESHOLDS = (20_000, 3, 10)
"""Thresholds of Python's garbage collector. A request for bytes leaves no cycles. But a thousand viewers are three
hundred thousand objects that live for hours. With Python's defaults (700, 10, 10), examining them over and over takes a
fifth of the processor time and pauses all clients for a fifth of a second."""

ONE_CTRL_C = 0.5
"""Seconds within which two SIGINTs count as one Ctrl-C: one comes from the terminal, one is forwarded by a wrapper."""


class Drain:
    """The drain of one worker, which starts with the first reason to stop."""

    def __init__(self) -> None:
        self.reason = ""
        self._started = trio.Event()
        self._interrupted = inf
        self._connections: trio.CancelScope | None = None

    def start(self, reason: str) -> None:
        """Start the drain, if it has not started yet."""
        self.reason = self.reason or reason
        self._started.set()

    def handle_signal(self, number: int) -> None:
        """Handle a signal. A second Ctrl-C cancels open requests, but not the cleanup."""
        self.start(signal.Signals(number).name)
        if number != signal.SIGINT:
            return
        now = trio.current_time()
        if now - self._interrupted >= ONE_CTRL_C and self._connections is not None:
            log.info("open connections cancelled", reason="a second SIGINT")
            self._connections.cancel()
        self._interrupted = min(self._interrupted, now)

    async def wait(self, config: Config, master_stops: Callable[..., Awaitable[None]] | None) -> None:
        """Return when the drain starts. `master_stops` returns when the master requests it. Hypercorn runs this as a
        task."""
        self._connections = _nursery_of_connections().cancel_scope

        async def start_after(reason: str, wait: Callable[[], Awaitable[None]]) -> None:
            await wait()
            self.start(reason)

        try:
            async with trio.open_nursery() as nursery:
                if master_stops is not None:
                    nursery.start_soon(start_after, "the master stops or reloads", master_stops)
                if (master := parent_process()) is not None:
                    gone = partial(trio.lowlevel.wait_readable, master.sentinel)
                    nursery.start_soon(start_after, "the master is gone", gone)
                await self._started.wait()
                nursery.cancel_scope.cancel()
        finally:  # also after the worker's maximum number of requests
            Connection.idle.end()
        log.info("stopping", reason=self.reason, graceful_timeout=config.graceful_timeout)


def _nursery_of_connections() -> trio.Nursery:
    """Return the nursery around the one that started this task. Hypercorn gives it the graceful timeout as deadline."""
    # `worker_serve` of Hypercorn 0.18 is one task with three nested nurseries: lifespan, connections, listening. It
    # does not expose them. A task's nurseries are a stack with the innermost last, so the one before ours encloses it.
    # Another version may nest them differently; `install` does nothing there.
    listening = trio.lowlevel.current_task().parent_nursery
    if listening is None:
        raise RuntimeError("not started by Hypercorn")
    nurseries = listening.parent_task.child_nurseries
    return nurseries[nurseries.index(listening) - 1]


@contextmanager
def _signals(handler: Callable[[int], None]) -> Iterator[None]:
    """Pass SIGTERM and SIGINT to `handler` on the event loop. Afterwards ignore them: only the exit is left.

    The master may send its SIGTERM at any time, even when this worker has already finished.
    """
    token = trio.lowlevel.current_trio_token()

    def handle(number: int, _: FrameType | None) -> None:
        token.run_sync_soon(handler, number)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, handle)
    try:
        yield
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)


async def worker_serve(
    app: AppWrapper,
    config: Config,
    *,
    sockets: Sockets | None = None,
    shutdown_trigger: Callable[..., Awaitable[None]] | None = None,
    task_status: trio.TaskStatus[list[str]] = trio.TASK_STATUS_IGNORED,
) -> None:
    """As in Hypercorn, but with more reasons to stop, and a longer queue of connections to accept.

    If the application does not start or the certificate cannot be used, the process prints why and exits with status 1.
    """
    if (fault := tls_fault(config)) is not None:
        sys.exit(f"the server does not start: {fault}")
    if sockets is not None:
        for sock in (*sockets.secure_sockets, *sockets.insecure_sockets):
            sock.listen(max(config.backlog, BACKLOG))
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    drain = Drain()
    error: Exception | None = None
    async with trio.open_nursery() as nursery:
        nursery.start_soon(Connection.idle.run, config.keep_alive_timeout)
        nursery.start_soon(Connection.stalled.run, Connection.send_timeout)
        nursery.start_soon(trimming.run)
        try:
            with _signals(drain.handle_signal):
                await plain_worker_serve(
                    app,
                    config,
                    sockets=sockets,
                    shutdown_trigger=partial(drain.wait, config, shutdown_trigger),
                    task_status=task_status,
                )
        except Exception as caught:  # noqa: BLE001 - raised below, outside the nursery, as Hypercorn raises it
            error = caught
        nursery.cancel_scope.cancel()
    if error is None:
        return
    if isinstance(error, LifespanFailureError) or (
        isinstance(error, ExceptionGroup) and error.split(LifespanFailureError)[1] is None
    ):
        sys.exit(f"the server does not start: {_reason(error)}")
    raise error


def _reason(error: Exception) -> str:
    """Return the application's own message, which Hypercorn puts in quotes."""
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return str(error).removeprefix("Lifespan failure in startup. '").removesuffix("'")


def tls_fault(config: Config) -> str | None:
    """Return what is wrong with the certificate, its key or the CA file, or None if the server can use them."""
    if (config.certfile is None) != (config.keyfile is None):
        # Hypercorn would serve without TLS.
        return "--certfile and --keyfile must be given together, and one of them is missing"
    for path in (config.certfile, config.keyfile, config.ca_certs):
        if path is not None:
            try:
                Path(path).open("rb").close()
            except OSError as error:
                return f"{path} cannot be read: {error.strerror}"
    try:
        config.create_ssl_context()
    except (OSError, ValueError) as error:  # an ssl.SSLError does not name the file
        reason = error.args[-1] if error.args else type(error).__name__
        return f"{config.certfile} and {config.keyfile} cannot be used for TLS: {reason}"
    return None
