"""The lifespan of a worker: opens the services when it starts, and closes them when it ends."""

from functools import partial

import trio
from hypercorn.typing import (
    ASGIReceiveCallable,
    ASGISendCallable,
    LifespanScope,
)

from trio_stream.errors import (
    SettingsError,
    StoreError,
    first_error,
)
from trio_stream.ownership import SOCKET
from trio_stream.server.local import serve_local
from trio_stream.services import Services, keep_running, open_services
from trio_stream.web.asgi.application import Application


class Lifespan:
    """Opens and closes the services, in one task."""

    def __init__(self, app: Application, scope: LifespanScope) -> None:
        self.app = app

    async def __call__(self, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        """Open the services, report that, and close them when the server ends."""
        await receive()
        started, failure = False, ""
        try:
            async with open_services(self.app.settings) as services:
                self.app.services = services
                async with self.app.app_context():
                    for function in self.app.before_serving_funcs:
                        await self.app.ensure_async(function)()
                async with trio.open_nursery() as nursery:
                    serve = partial(self._serve_local_socket, services)
                    if services.owner.mine:
                        await nursery.start(keep_running, services.health, "local socket", serve)
                    else:
                        nursery.start_soon(keep_running, services.health, "local socket", serve)
                    await send({"type": "lifespan.startup.complete"})
                    started = True
                    await receive()
                    nursery.cancel_scope.cancel()
        except* (SettingsError, StoreError) as group:
            if started:
                raise
            failure = str(first_error(group))
        if failure:
            await send({"type": "lifespan.startup.failed", "message": failure})
        else:
            await send({"type": "lifespan.shutdown.complete"})

    async def _serve_local_socket(
        self, services: Services, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
    ) -> None:
        """Once this process owns the data, serve other processes of this machine. Raises `SettingsError`."""
        await services.owner.appointed.wait()
        try:
            with services.owner.ownership.socket_path() as address:
                await serve_local(self.app, address, task_status=task_status)
        except OSError as error:
            path = services.settings.data / SOCKET
            raise SettingsError(f"the socket {path} cannot be created: {error.strerror or error}") from error
