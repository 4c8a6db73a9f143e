"""The application's task: once it has ended, nothing waits for it to take another message.

Hypercorn queues messages for an application in a bounded channel and waits while it is full, also after the
application has returned: a client with eleven unread WebSocket messages then keeps its connection for ever.
"""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import trio
from hypercorn.config import Config
from hypercorn.trio.task_group import TaskGroup as PlainTaskGroup
from hypercorn.trio.task_group import _handle
from hypercorn.typing import AppWrapper, ASGIReceiveCallable, ASGIReceiveEvent, ASGISendEvent, Scope

type Channel = tuple[trio.MemorySendChannel[ASGIReceiveEvent], trio.MemoryReceiveChannel[ASGIReceiveEvent]]

_open_channel: Callable[[int], Channel]
_open_channel = trio.open_memory_channel  # naming the type at each call would cost more than the call


class TaskGroup(PlainTaskGroup):
    """The tasks of one connection."""

    async def spawn_app(
        self,
        app: AppWrapper,
        config: Config,
        scope: Scope,
        send: Callable[[ASGISendEvent | None], Awaitable[None]],
    ) -> Callable[[ASGIReceiveEvent], Awaitable[None]]:
        """Start the application; answers how to offer it a message, which is dropped when it has ended."""
        offers, messages = _open_channel(config.max_app_queue_size)

        async def listening(scope: Scope, receive: ASGIReceiveCallable, *rest: Any) -> None:
            with messages:
                await app(scope, receive, *rest)

        async def offer(message: ASGIReceiveEvent) -> None:
            try:  # where there is room, it takes no turn of all others
                offers.send_nowait(message)
            except trio.WouldBlock:
                await wait_for_room(message)
            except trio.BrokenResourceError:
                pass

        async def wait_for_room(message: ASGIReceiveEvent) -> None:
            # Who tells of the end of a response may be the task that is cancelled for it (see `http.py`).
            shield = message["type"].endswith(".disconnect")
            with suppress(trio.BrokenResourceError), trio.CancelScope(shield=shield):
                await offers.send(message)

        if self._nursery is None:
            raise RuntimeError("the connection is over")
        self._nursery.start_soon(
            _handle,  # type: ignore[arg-type]
            listening,
            config,
            scope,
            messages.receive,
            send,
            trio.to_thread.run_sync,
            trio.from_thread.run,
        )
        return offer
