"""What one request or WebSocket holds. It is closed when the exchange is over, however it ends."""

import os
import socket
from collections.abc import Awaitable, Callable
from typing import Any, Self, cast

import trio
from hypercorn.typing import ASGIReceiveCallable, HTTPScope, WebsocketScope
from quart import has_websocket_context, request, websocket
from quart.wrappers.request import Body
from quart_trio.wrappers import TrioRequest, TrioWebsocket
from werkzeug.exceptions import RequestTimeout

from trio_stream.errors import ClientGone, TooManyListeners, WrongHost
from trio_stream.files import OpenFile
from trio_stream.http.forwarded import client_address
from trio_stream.http.hosts import is_own
from trio_stream.server.asgi.http import DRAINING
from trio_stream.server.local import LOCAL
from trio_stream.server.tcp.admission import in_networks
from trio_stream.services import Services
from trio_stream.store.writer import Writer
from trio_stream.streaming.maps import MappedFile
from trio_stream.streaming.stream import Ending, Stream

LOCAL_USER = "local"

BODY_TIMEOUT = 60.0
"""Seconds for a client to send the body of a request; Quart allows as many."""

OWN_NAMES = frozenset({socket.gethostname().lower()})
"""What this machine is called."""


class Exchange:
    """The file that is being sent and the stream that sends it; or a place among those who listen to events.

    `fields` are the header fields of the request by lower-case name, as `combined` gives them. Nobody listens to the
    client by `receive`, which is None where somebody else does, but in `attend` and `take_body`.
    """

    __slots__ = ("_left", "_listening", "_receive", "_scope", "fields", "file", "services", "stream")

    def __init__(
        self,
        services: Services,
        scope: HTTPScope | WebsocketScope,
        receive: ASGIReceiveCallable | None = None,
    ) -> None:
        self.services = services
        self.fields = combined(scope)
        self.file: MappedFile | None = None
        self.stream: Stream | None = None
        self._receive = receive
        self._scope = scope
        self._left = False
        self._listening = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            if self.stream is not None:
                self.stream.close()
        finally:
            if self.file is not None:
                self.file.release()
            if self._listening:
                self.services.listeners.release_on_behalf_of(self)

    def hold(self, file: OpenFile, status: os.stat_result | None = None) -> MappedFile:
        """Take over a file, the one, in the state `status` or as it is now, while the exchange lasts.

        One that was held before is given back.
        """
        before, self.file = self.file, self.services.maps.open(file, status)
        if before is not None:
            before.release()
        return self.file

    def admit(self, file: MappedFile, *, name: str, transport: str, free: bool = False) -> Stream:
        """The one stream, for as long as the exchange lasts. Raises `TooManyStreams`, unless it is `free`."""
        self.stream = self.services.registry.admit(
            file, owner=self._client(), name=name, transport=transport, free=free
        )
        if self._left:
            self.client_left()
        return self.stream

    async def attend[T](self, work: Callable[[], Awaitable[T]], body: Body | None = None) -> T:
        """Do `work` while the client is there; when it leaves, `work` is cancelled and `ClientGone` raised.

        What the client sends meanwhile goes into `body`. Within `work` somebody listens already, so whoever calls this
        there just does what they are given.
        """
        receive = self._receive
        if receive is None:
            return await work()
        error: Exception = ClientGone("it left")

        async def watch() -> None:
            while (message := await receive())["type"] == "http.request":
                if body is not None:
                    body.append(message.get("body", b""))
                    if not message.get("more_body", False):
                        body.set_complete()
            self.client_left()
            nursery.cancel_scope.cancel()

        self._receive = None
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(watch)
                try:
                    return await work()
                except Exception as raised:  # noqa: BLE001 - it leaves the nursery as what it is, not in a group
                    error = raised
                finally:
                    nursery.cancel_scope.cancel()
            raise error
        finally:
            self._receive = receive
            del error  # or this frame and the error, which has it in its traceback, would keep each other

    async def take_body(self) -> bytes:
        """The whole body of the request, which the server bounds. Raises `ClientGone`, `RequestTimeout`."""
        body = b""
        receive = self._receive
        if receive is None:
            raise RuntimeError("somebody else takes what the client sends")
        with trio.move_on_after(BODY_TIMEOUT):
            while (message := await receive())["type"] == "http.request":
                body += message.get("body", b"")
                if not message.get("more_body", False):
                    return body
            raise ClientGone("it left before it had asked")
        raise RequestTimeout

    @property
    def is_local(self) -> bool:
        """Whether who asks came through the door for this machine: the operator, or another worker of the server."""
        return LOCAL in self._scope.get("state", {})

    def host(self) -> str | None:
        """The name under which the server was asked.

        A trusted proxy may say it in `X-Forwarded-Host`. Raises `WrongHost` where that or `Host` is no name of this
        server: a proxy that sets neither passes on what a page has put there. Without any (HTTP/1.0) no browser asks.
        """
        fields, settings = self.fields, self.services.settings
        host = fields.get("host")
        if self.is_local:
            return host
        named = [host] if host else []
        peer = (self._scope.get("client") or ("",))[0]
        if settings.trusted_proxies and in_networks(peer, settings.trusted_proxies):
            forwarded = fields.get("x-forwarded-host", "").rpartition(",")[2].strip()
            named += [forwarded] if forwarded else []
        for name in named:
            if not (is_own(name, settings.hosts) or is_own(name, OWN_NAMES)):
                raise WrongHost(
                    f"{name} is not known as a name of this server; its operator can add it to TRIO_STREAM_HOSTS"
                )
        return named[-1] if named else None

    def listen(self) -> None:
        """Take a place among those who listen to events, for as long as the exchange lasts. Raises `TooManyListeners`.

        Who comes through the door for this machine takes none: it is the operator, or somebody with a place in the
        process that passed the request on.
        """
        if self.is_local:
            return
        try:
            self.services.listeners.acquire_on_behalf_of_nowait(self)
        except trio.WouldBlock:
            raise TooManyListeners(int(self.services.listeners.total_tokens)) from None
        self._listening = True

    async def wait_for_drain(self) -> None:
        """Return once the server is to end; never where it cannot say so."""
        extensions: dict[str, Any] = self._scope.get("extensions") or {}
        wait: Callable[[], Awaitable[None]] = extensions.get(DRAINING, {}).get("wait", trio.sleep_forever)
        await wait()

    def client_left(self) -> None:
        """Note that nobody listens any more, and end the stream."""
        self._left = True
        if self.stream is not None:
            self.stream.end(Ending.CLIENT_LEFT)

    def _client(self) -> str:
        """The address of who asks, seen through the proxies that are trusted."""
        peer = (self._scope.get("client") or ("unknown",))[0]
        trusted = self.services.settings.trusted_proxies
        if not trusted:
            return peer
        forwarded_for = self.fields.get("x-forwarded-for", "")
        return client_address(peer, forwarded_for, lambda address: in_networks(address, trusted))


def combined(scope: HTTPScope | WebsocketScope) -> dict[str, str]:
    """Header fields by lower-case name, repeated lines as one list (RFC 9110 section 5.3)."""
    fields: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        fields[name] = f"{fields[name]}, {value}" if name in fields else value
    return fields


class Request(TrioRequest):
    """A request with its exchange."""

    exchange: Exchange


class Websocket(TrioWebsocket):
    """A WebSocket with its exchange."""

    exchange: Exchange


def services() -> Services:
    """The services of the application that handles this exchange."""
    return exchange().services


def writer() -> Writer:
    """What changes the database; only where the process is the owner (`owner.by_the_owner` sees to that)."""
    return services().owner.get().writer


def user() -> str:
    """Who asks: the one local user there is until there are accounts."""
    return LOCAL_USER


def exchange() -> Exchange:
    """The exchange being handled."""
    context = cast("Request | Websocket", websocket if has_websocket_context() else request)
    return context.exchange
