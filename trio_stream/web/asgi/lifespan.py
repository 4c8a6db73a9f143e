"""The services, from the start of the worker to its end."""

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
    """The services, from the start of the worker to its end, opened and closed by one task."""

    def __init__(self, app: Application, scope: LifespanScope) -> None:
        self.app = app

    async def __call__(self, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        """Open them, say so, and close them when told."""
        await receive()
        begun, failure = False, ""
        try:
            async with open_services(self.app.settings) as services:
                self.app.services = services
                async with self.app.app_context():
                    for begin in self.app.before_serving_funcs:
                        await self.app.ensure_async(begin)()
                async with trio.open_nursery() as nursery:
                    door = partial(self._open_local_door, services)
                    if services.owner.mine:
                        await nursery.start(keep_running, services.health, "local door", door)
                    else:
                        nursery.start_soon(keep_running, services.health, "local door", door)
                    await send({"type": "lifespan.startup.complete"})
                    begun = True
                    await receive()
                    nursery.cancel_scope.cancel()
        except* (SettingsError, StoreError) as group:
            if begun:
                raise
            failure = str(first_error(group))
        if failure:
            await send({"type": "lifespan.startup.failed", "message": failure})
        else:
            await send({"type": "lifespan.shutdown.complete"})

    async def _open_local_door(
        self, services: Services, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
    ) -> None:
        """Let other processes of this machine reach the owner of the data, once this is it. Raises `SettingsError`."""
        await services.owner.appointed.wait()
        try:
            with services.owner.ownership.socket_path() as path:
                await serve_local(self.app, path, task_status=task_status)
        except OSError as error:
            where = services.settings.data / SOCKET
            raise SettingsError(f"the socket {where} cannot be made: {error.strerror or error}") from error
