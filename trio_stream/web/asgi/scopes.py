"""Translation of ASGI scopes and errors."""

import errno
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from hypercorn.typing import (
    HTTPScope,
    WebsocketScope,
)

from trio_stream.errors import (
    ClientGone,
    ClientStalled,
    SourceChanged,
    TrioStreamError,
)
from trio_stream.http.paths import normal_path
from trio_stream.server.asgi.http import FILE_CHUNKS, VIEWS
from trio_stream.streaming.pump import Delivery


def translate(error: OSError) -> TrioStreamError:
    """The error of a stream for an `OSError` of `send` (`trio_stream.server` documents which there are)."""
    if isinstance(error, TimeoutError):
        return ClientStalled(str(error))
    if error.errno == errno.EFAULT:
        return SourceChanged("the file was truncated")
    return ClientGone(str(error))


def with_normal_path[T: (HTTPScope, WebsocketScope)](scope: T) -> T:
    """The scope with the normal form of its path, which is used to look up routes and videos."""
    raw = scope["raw_path"]
    normal = normal_path(raw) if raw.startswith(b"/") else raw
    if normal == raw:
        return scope
    return {**scope, "raw_path": normal, "path": unquote(normal.decode("ascii"))}


def delivery(scope: Mapping[str, Any]) -> Delivery:
    """The form in which the connection of `scope` accepts the bytes of a file."""
    extensions = scope.get("extensions") or {}
    if FILE_CHUNKS in extensions:
        return Delivery.RANGES
    return Delivery.VIEWS if VIEWS in extensions else Delivery.COPIES
