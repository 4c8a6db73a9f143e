"""Compression of lists of videos and other long JSON, for clients on slow networks that accept gzip.

A response with a validator is not compressed, because that would be another representation (RFC 9110 section
8.8.3.3)."""

import gzip

from quart import Quart, Response, request
from quart.wrappers.response import DataBody

MIN_SIZE = 1400
"""Bytes. A smaller body fits into one network packet anyway and is not compressed."""

LEVEL = 1
"""The zlib level. It reduces a page of forty videos to a ninth, in a third of a millisecond."""


def register(app: Quart) -> None:
    """Compress the JSON responses of `app`, and forbid caching of those that set no `Cache-Control` themselves."""

    @app.after_request
    async def compress(response: Response) -> Response:
        body, headers = response.response, response.headers
        # JSON describes the current state, for this client only (RFC 9111 section 5.2.2.5).
        if response.mimetype == "application/json":
            headers.setdefault("Cache-Control", "no-store")
        if not isinstance(body, DataBody) or len(body.data) < MIN_SIZE:
            return response  # a body that is not in memory is not compressed
        if response.mimetype != "application/json" or "Content-Encoding" in headers or "ETag" in headers:
            return response
        headers.add("Vary", "Accept-Encoding")
        if accepts_gzip():
            response.set_data(gzip.compress(body.data, LEVEL, mtime=0))
            headers["Content-Encoding"] = "gzip"
        return response


def accepts_gzip() -> bool:
    """Whether the client prefers gzip or accepts it equally. Without `Accept-Encoding` it gets no compression."""
    return request.accept_encodings.best_match(["gzip", "identity"]) == "gzip"
