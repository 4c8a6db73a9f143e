"""The worker: told to stop, it takes nothing new, lets what runs go on for the graceful timeout, cleans up, exits 0.

Hypercorn's workers know one way to be told, an event that the master sets on SIGTERM and Ctrl-C. Everything else
ends them on the spot, or not at all: the SIGTERM by which the master ends the other workers as soon as the first has
finished, that of a service manager to all processes at once, every one with `-w 0`; and a master that was killed
leaves workers that serve on and keep the port. Here each of these starts the same drain, and while it goes on nothing
but a second Ctrl-C cuts it short. At its own exit the master waits for its workers (`multiprocessing` does), so it
outlives the longest drain.

The listening socket is shared with the master. With `-w 0` a new connection is refused at once; with workers it stays
unanswered until the master ends, or is taken by the new workers of a reload, which a worker cannot tell apart.
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
"""Connections that may wait to be accepted. Of more, the system drops the first packet, and who sent it tries again
after one second, three, seven; Hypercorn's 100 are few where a thousand viewers come within seconds."""

GARBAGE = (20_000, 3, 10)
"""When Python looks for unreachable cycles. A request for bytes leaves none; but a thousand viewers are three hundred
thousand objects that live for hours, and with Python's own figures (700, 10, 10), looking at them again and again takes
a fifth of the time and stops everybody for a fifth of a second."""

ONE_CTRL_C = 0.5
"""Seconds in which SIGINT may arrive twice for one Ctrl-C: from the terminal, and passed on by a wrapper."""


class Drain:
    """The end of one worker, from the first reason to stop."""

    def __init__(self) -> None:
        self.reason = ""
        self._asked = trio.Event()
        self._interrupted = inf
        self._connections: trio.CancelScope | None = None

    def ask(self, reason: str) -> None:
        """Start, if not started yet."""
        self.reason = self.reason or reason
        self._asked.set()

    def hear(self, number: int) -> None:
        """Take a signal; a second Ctrl-C ends what still runs, but not the clean-up."""
        self.ask(signal.Signals(number).name)
        if number != signal.SIGINT:
            return
        now = trio.current_time()
        if now - self._interrupted >= ONE_CTRL_C and self._connections is not None:
            log.info("what still runs is cut", reason="a second SIGINT")
            self._connections.cancel()
        self._interrupted = min(self._interrupted, now)

    async def wait(self, config: Config, told: Callable[..., Awaitable[None]] | None) -> None:
        """Return when it starts; `told` returns when the master says so. Hypercorn runs this as a task."""
        self._connections = _nursery_of_connections().cancel_scope

        async def ask_after(reason: str, wait: Callable[[], Awaitable[None]]) -> None:
            await wait()
            self.ask(reason)

        try:
            async with trio.open_nursery() as nursery:
                if told is not None:
                    nursery.start_soon(ask_after, "the master stops or reloads", told)
                if (master := parent_process()) is not None:
                    gone = partial(trio.lowlevel.wait_readable, master.sentinel)
                    nursery.start_soon(ask_after, "the master is gone", gone)
                await self._asked.wait()
                nursery.cancel_scope.cancel()
        finally:  # also when the worker has served as many requests as it may
            Connection.idle.end()
        log.info("stopping", reason=self.reason, graceful_timeout=config.graceful_timeout)


def _nursery_of_connections() -> trio.Nursery:
    """The one around the nursery in which Hypercorn started this task; its deadline is the graceful timeout."""
    # `worker_serve` of Hypercorn 0.18 is one task with three nurseries, one within the other: lifespan, connections,
    # listening. It hands out none of them. A task's nurseries are a stack, the innermost last, so the one before ours
    # is the one around it. If another version nests them otherwise, `install` leaves it alone.
    listening = trio.lowlevel.current_task().parent_nursery
    if listening is None:
        raise RuntimeError("not started by Hypercorn")
    nurseries = listening.parent_task.child_nurseries
    return nurseries[nurseries.index(listening) - 1]


@contextmanager
def _signals(hear: Callable[[int], None]) -> Iterator[None]:
    """Pass SIGTERM and SIGINT to `hear`, on the event loop; ignore them afterwards, when only the exit is left.

    The master sends its SIGTERM at any time, also when this worker has finished as well.
    """
    token = trio.lowlevel.current_trio_token()

    def handle(number: int, _: FrameType | None) -> None:
        token.run_sync_soon(hear, number)

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
    """As in Hypercorn, but there is more than one reason to stop, and room for a crowd at the door.

    An application that does not start, or a certificate that cannot be used, ends the process with a sentence and the
    exit code 1.
    """
    if (fault := tls_fault(config)) is not None:
        sys.exit(f"the server does not start: {fault}")
    if sockets is not None:
        for sock in (*sockets.secure_sockets, *sockets.insecure_sockets):
            sock.listen(max(config.backlog, BACKLOG))
    gc.freeze()
    gc.set_threshold(*GARBAGE)
    drain = Drain()
    error: Exception | None = None
    async with trio.open_nursery() as nursery:
        nursery.start_soon(Connection.idle.run, config.keep_alive_timeout)
        nursery.start_soon(Connection.stalled.run, Connection.send_timeout)
        nursery.start_soon(trimming.run)
        try:
            with _signals(drain.hear):
                await plain_worker_serve(
                    app,
                    config,
                    sockets=sockets,
                    shutdown_trigger=partial(drain.wait, config, shutdown_trigger),
                    task_status=task_status,
                )
        except Exception as caught:  # noqa: BLE001 - raised below, alone as Hypercorn knows it
            error = caught
        nursery.cancel_scope.cancel()
    if error is None:
        return
    if isinstance(error, LifespanFailureError) or (
        isinstance(error, ExceptionGroup) and error.split(LifespanFailureError)[1] is None
    ):
        sys.exit(f"the server does not start: {_why(error)}")
    raise error


def _why(error: Exception) -> str:
    """What the application said, which Hypercorn puts into quotes."""
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return str(error).removeprefix("Lifespan failure in startup. '").removesuffix("'")


def tls_fault(config: Config) -> str | None:
    """What is wrong with the certificate and what belongs to it, as a sentence; None if the server can use it."""
    if (config.certfile is None) != (config.keyfile is None):
        return "--certfile and --keyfile belong together, and one of them is missing"  # Hypercorn would serve plainly
    for path in (config.certfile, config.keyfile, config.ca_certs):
        if path is not None:
            try:
                Path(path).open("rb").close()
            except OSError as error:
                return f"{path} cannot be read: {error.strerror}"
    try:
        config.create_ssl_context()
    except (OSError, ValueError) as error:  # among them ssl.SSLError, which names no file
        reason = error.args[-1] if error.args else type(error).__name__
        return f"{config.certfile} and {config.keyfile} cannot be used for TLS: {reason}"
    return None
