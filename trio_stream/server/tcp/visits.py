"""Health checks when the server has reached its limit of connections.

A few more connections are accepted, each for a short visit. On them, requests for other paths get a 503 response
instead of a closed connection. So a health check sees that the server is alive, and other clients learn when to retry.
"""

from collections.abc import Callable, Collection
from functools import partial
from typing import Any

from hypercorn.typing import AppWrapper, ASGIReceiveCallable, ASGISendCallable, ASGISendEvent, Scope

VISITS = 4
"""Connections at once, beyond the limit."""

LONGEST_VISIT = 2.0
"""Seconds, from the connection to the last byte of the response."""

REFUSAL = b"The server has reached its limit of connections.\n"


def visited(app: AppWrapper, paths: Collection[str]) -> AppWrapper:
    """Wrap `app`: only `paths` are served, other requests get 503, and the connection ends after the response."""

    async def serve(
        scope: Scope,
        receive: ASGIReceiveCallable,
        send: ASGISendCallable,
        sync_spawn: Callable[..., Any],
        call_soon: Callable[..., Any],
    ) -> None:
        if scope["type"] == "http" and scope["path"] in paths:
            await app(scope, receive, partial(_send_last, send), sync_spawn, call_soon)
        elif scope["type"] == "http":
            fields = [
                (b"content-type", b"text/plain; charset=utf-8"),
                (b"content-length", b"%d" % len(REFUSAL)),
                (b"cache-control", b"no-store"),
                (b"retry-after", b"1"),
            ]
            await _send_last(send, {"type": "http.response.start", "status": 503, "headers": fields})
            await send({"type": "http.response.body", "body": REFUSAL, "more_body": False})
        else:
            await send({"type": "websocket.close", "code": 1013, "reason": None})

    return serve


async def _send_last(send: ASGISendCallable, message: ASGISendEvent) -> None:
    """Send a message of a response that closes its HTTP/1.1 connection (RFC 9112 section 9.6)."""
    if message["type"] == "http.response.start":
        message["headers"] = [*message["headers"], (b"connection", b"close")]
    await send(message)
