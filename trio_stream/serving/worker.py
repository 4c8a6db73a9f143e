"""A supervised worker: Hypercorn's, with our guards. It reports to its parent when it serves."""

import signal
import sys
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from functools import partial
from multiprocessing.connection import Connection
from typing import Any

import hypercorn.trio.run
import trio
from hypercorn.config import Sockets
from hypercorn.typing import AppWrapper, ASGIReceiveCallable, ASGISendCallable, ASGISendEvent, Scope
from hypercorn.utils import load_application

from trio_stream.errors import SettingsError
from trio_stream.serving.options import parse


def work(arguments: Sequence[str], sockets: Sockets, serving: Connection) -> None:
    """Run a worker in this process. It sends a message to `serving` once it serves.

    It reads the options itself, because the contents of a configuration file cannot always be pickled.
    """
    try:
        config = parse(arguments)
    except SettingsError as error:
        sys.exit(f"the server does not start: {error}")
    app = load_application(config.application_path, config.wsgi_max_body_size)

    def started() -> None:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        with serving, suppress(BrokenPipeError):
            serving.send_bytes(b"serving")

    serve = hypercorn.trio.run.worker_serve  # the guarded one: loading the application has replaced it
    trio.run(partial(serve, _with_start_hook(app, started), config, sockets=sockets))


def _with_start_hook(app: AppWrapper, started: Callable[[], None]) -> AppWrapper:
    """Wrap `app` to call `started` when its startup is complete. Hypercorn continues briefly even if it fails."""

    def call(
        scope: Scope,
        receive: ASGIReceiveCallable,
        send: ASGISendCallable,
        sync_spawn: Callable[..., Any],
        call_soon: Callable[..., Any],
    ) -> Coroutine[Any, Any, None]:
        if scope["type"] != "lifespan":
            return app(scope, receive, send, sync_spawn, call_soon)

        async def forward(message: ASGISendEvent) -> None:
            await send(message)
            if message["type"] == "lifespan.startup.complete":
                started()

        return app(scope, receive, forward, sync_spawn, call_soon)

    return call
