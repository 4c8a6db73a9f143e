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


class Messages:
    """What an application is told: so many messages that it has not taken; and whatever there are, its disconnect."""

    def __init__(self, most: int) -> None:
        self._offers, self._messages = _open_channel(most)
        self._last: ASGIReceiveEvent | None = None

    async def offer(self, message: ASGIReceiveEvent) -> None:
        """Wait for room, and leave it there; dropped when the application has ended, or was disconnected."""
        try:  # where there is room, it takes no turn of all others
            self._offers.send_nowait(message)
        except trio.WouldBlock:
            if message["type"].endswith(".disconnect"):
                # Who tells of the end of a response is a task of the application, which would wait for itself.
                self._last = message
                self._offers.close()
                return
            with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
                await self._offers.send(message)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass

    async def receive(self) -> ASGIReceiveEvent:
        """The next message; as often as it is asked for, the disconnect for which there was no room."""
        try:
            return await self._messages.receive()
        except trio.EndOfChannel:
            if self._last is None:
                raise
            return self._last

    def close(self) -> None:
        """Nobody takes any more of them."""
        self._messages.close()


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
        messages = Messages(config.max_app_queue_size)

        async def listening(scope: Scope, receive: ASGIReceiveCallable, *rest: Any) -> None:
            try:
                await app(scope, receive, *rest)
            finally:
                messages.close()

        if self._nursery is None:
            raise RuntimeError("the connection is over")
        self._nursery.start_soon(
            _handle,  # type: ignore[arg-type] # Hypercorn's own, with what it is called with there
            listening,
            config,
            scope,
            messages.receive,
            send,
            trio.to_thread.run_sync,
            trio.from_thread.run,
        )
        return messages.offer
