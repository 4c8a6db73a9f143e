"""The application's task. Once it has ended, nothing waits for it to receive another message.

Hypercorn queues messages for an application in a bounded channel and waits while it is full, even after the
application has returned. A client with eleven unread WebSocket messages then keeps its connection forever.
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
_open_channel = trio.open_memory_channel  # writing the type at each call would cost more than the call


class Messages:
    """The queue of messages for an application: at most `limit` of them, and always room for its disconnect."""

    def __init__(self, limit: int) -> None:
        self._offers, self._messages = _open_channel(limit)
        self._last: ASGIReceiveEvent | None = None

    async def offer(self, message: ASGIReceiveEvent) -> None:
        """Wait for room and add the message. It is dropped if the application has ended or was disconnected."""
        try:  # if there is room, this takes no turn of the event loop
            self._offers.send_nowait(message)
        except trio.WouldBlock:
            if message["type"].endswith(".disconnect"):
                # The end of a response is reported by a task of the application, which would wait for itself.
                self._last = message
                self._offers.close()
                return
            with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
                await self._offers.send(message)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass

    async def receive(self) -> ASGIReceiveEvent:
        """Return the next message. If there was no room for the disconnect, return that from then on."""
        try:
            return await self._messages.receive()
        except trio.EndOfChannel:
            if self._last is None:
                raise
            return self._last

    def close(self) -> None:
        """Drop all further messages: the application has ended."""
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
        """Start the application. Return a function that offers it a message, which is dropped once it has ended."""
        messages = Messages(config.max_app_queue_size)

        async def run_app(scope: Scope, receive: ASGIReceiveCallable, *rest: Any) -> None:
            try:
                await app(scope, receive, *rest)
            finally:
                messages.close()

        if self._nursery is None:
            raise RuntimeError("the connection has ended")
        self._nursery.start_soon(
            _handle,  # type: ignore[arg-type] # Hypercorn's own function, called as Hypercorn does
            run_app,
            config,
            scope,
            messages.receive,
            send,
            trio.to_thread.run_sync,
            trio.from_thread.run,
        )
        return messages.offer
