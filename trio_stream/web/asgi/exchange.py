"""The resources of one request or WebSocket. They are released when the exchange ends, however it ends."""

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

from trio_stream.accounts.grants import NOBODY, Grant
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

BODY_TIMEOUT = 60.0
"""Seconds for a client to send the body of a request, as in Quart."""

OWN_NAMES = frozenset({socket.gethostname().lower()})
"""The host name of this machine."""


class Exchange:
    """The file that is being sent and the stream that sends it; or a slot among the event listeners.

    `fields` are the header fields of the request by lower-case name, as `header_fields` returns them. `grant` is what
    the request may do (`access.decide`). Only `run_while_connected` and `read_body` call `receive`; it is None if
    something else reads from the client.
    """

    __slots__ = ("_left", "_listening", "_receive", "_scope", "fields", "file", "grant", "services", "stream")

    def __init__(
        self,
        services: Services,
        scope: HTTPScope | WebsocketScope,
        receive: ASGIReceiveCallable | None = None,
    ) -> None:
        self.services = services
        self.fields = header_fields(scope)
        self.file: MappedFile | None = None
        self.stream: Stream | None = None
        self.grant: Grant = NOBODY
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
        """Take ownership of a file, with its `status` if the caller has it, for as long as the exchange lasts.

        An exchange holds one file: a previous one is released.
        """
        previous, self.file = self.file, self.services.maps.open(file, status)
        if previous is not None:
            previous.release()
        return self.file

    def admit(self, file: MappedFile, *, name: str, transport: str, free: bool = False) -> Stream:
        """Open the stream of the exchange, which ends with it. Raises `TooManyStreams`, unless it is `free`."""
        self.stream = self.services.registry.admit(
            file, owner=self.client(), name=name, transport=transport, free=free
        )
        if self._left:
            self.client_left()
        return self.stream

    async def run_while_connected[T](self, work: Callable[[], Awaitable[T]], body: Body | None = None) -> T:
        """Run `work` while the client is connected. If it disconnects, cancel `work` and raise `ClientGone`.

        Data that the client sends goes into `body`. A nested call within `work` only runs what it is given, because
        the outer call is already listening.
        """
        receive = self._receive
        if receive is None:
            return await work()
        error: Exception = ClientGone("the client disconnected")

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
                except Exception as raised:  # noqa: BLE001 - so that it leaves the nursery without a group
                    error = raised
                finally:
                    nursery.cancel_scope.cancel()
            raise error
        finally:
            self._receive = receive
            # Otherwise this frame and the error, whose traceback refers to it, form a reference cycle.
            del error

    async def read_body(self) -> bytes:
        """Read the body of the request, whose size the server limits. Raises `ClientGone`, `RequestTimeout`."""
        body = b""
        receive = self._receive
        if receive is None:
            raise RuntimeError("another task is reading from the client")
        with trio.move_on_after(BODY_TIMEOUT):
            while (message := await receive())["type"] == "http.request":
                body += message.get("body", b"")
                if not message.get("more_body", False):
                    return body
            raise ClientGone("the client disconnected before it had sent its request")
        raise RequestTimeout

    @property
    def is_local(self) -> bool:
        """Whether the request came over the local socket: from the command line, or from another worker."""
        return LOCAL in self._scope.get("state", {})

    @property
    def peer(self) -> str:
        """The address that the connection comes from: of the client, or of a proxy."""
        return (self._scope.get("client") or ("unknown",))[0]

    @property
    def is_proxied(self) -> bool:
        """Whether the connection comes from a trusted proxy."""
        trusted = self.services.settings.trusted_proxies
        return bool(trusted) and in_networks(self.peer, trusted)

    def host(self) -> str | None:
        """The host name of the request.

        A trusted proxy may give it in `X-Forwarded-Host`. Raises `WrongHost` if that or `Host` is not a name of this
        server: both are checked, because a proxy that does not set `X-Forwarded-Host` forwards what a page has put
        there. Requests without either (HTTP/1.0) do not come from browsers.
        """
        fields, settings = self.fields, self.services.settings
        host = fields.get("host")
        if self.is_local:
            return host
        named = [host] if host else []
        if self.is_proxied:
            forwarded = fields.get("x-forwarded-host", "").rpartition(",")[2].strip()
            named += [forwarded] if forwarded else []
        for name in named:
            if not (is_own(name, settings.hosts) or is_own(name, OWN_NAMES)):
                raise WrongHost(
                    f"{name} is not a name of this server; the operator can add it to TRIO_STREAM_HOSTS"
                )
        return named[-1] if named else None

    def listen(self) -> None:
        """Count this exchange as a listener to events, for as long as it lasts. Raises `TooManyListeners`.

        A request over the local socket does not count: it comes from the operator, or from another process that
        already counts its client.
        """
        if self.is_local:
            return
        try:
            self.services.listeners.acquire_on_behalf_of_nowait(self)
        except trio.WouldBlock:
            raise TooManyListeners(int(self.services.listeners.total_tokens)) from None
        self._listening = True

    async def wait_for_drain(self) -> None:
        """Return once the server begins to drain; never, if the server does not support the extension."""
        extensions: dict[str, Any] = self._scope.get("extensions") or {}
        wait: Callable[[], Awaitable[None]] = extensions.get(DRAINING, {}).get("wait", trio.sleep_forever)
        await wait()

    def client_left(self) -> None:
        """Note that the client has disconnected, and end the stream."""
        self._left = True
        if self.stream is not None:
            self.stream.end(Ending.CLIENT_LEFT)

    def client(self) -> str:
        """The address of the client, behind any trusted proxies."""
        peer = self.peer
        trusted = self.services.settings.trusted_proxies
        if not trusted:
            return peer
        forwarded_for = self.fields.get("x-forwarded-for", "")
        return client_address(peer, forwarded_for, lambda address: in_networks(address, trusted))


def header_fields(scope: HTTPScope | WebsocketScope) -> dict[str, str]:
    """Header fields by lower-case name, repeated lines joined to one list (RFC 9110 section 5.3)."""
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
    """The writer of the database, in the process that owns the data (`owner.owner_only` ensures that)."""
    return services().owner.get().writer


def user() -> str:
    """The user of the request, who has the playheads; empty for somebody who has none."""
    return exchange().grant.user


def exchange() -> Exchange:
    """The current exchange."""
    context = cast("Request | Websocket", websocket if has_websocket_context() else request)
    return context.exchange
