"""Lists of videos, and whatever else is long JSON, leave packed for those who take that: people on slow lines wait for
them.

What has a validator is left as it is: packed it would be another representation (RFC 9110 section 8.8.3.3)."""

import gzip

from quart import Quart, Response, request
from quart.wrappers.response import DataBody

SMALLEST = 1400
"""Bytes that fit into one packet anyhow are not packed."""

LEVEL = 1
"""Of zlib: a page of forty videos is a ninth then, after a third of a millisecond."""


def register(app: Quart) -> None:
    """Let every route of `app` that answers with JSON do so, and no cache keep what says nothing of that itself."""

    @app.after_request
    async def pack(response: Response) -> Response:
        body, headers = response.response, response.headers
        # JSON is how it is now, for who asks now (RFC 9111 section 5.2.2.5).
        if response.mimetype == "application/json":
            headers.setdefault("Cache-Control", "no-store")
        if not isinstance(body, DataBody) or len(body.data) < SMALLEST:
            return response  # what is not at hand is not waited for
        if response.mimetype != "application/json" or "Content-Encoding" in headers or "ETag" in headers:
            return response
        headers.add("Vary", "Accept-Encoding")
        if takes_gzip():
            response.set_data(gzip.compress(body.data, LEVEL, mtime=0))
            headers["Content-Encoding"] = "gzip"
        return response


def takes_gzip() -> bool:
    """Whether who asks would have it packed: that comes first of what they take equally well; who names nothing takes
    it as it is."""
    return request.accept_encodings.best_match(["gzip", "identity"]) == "gzip"
