"""What pages of other sites may do: nothing that changes anything, and nothing at all unless configured.

Nor does any of them get in under a name of its own."""

from quart import Quart, Response, request, websocket

from trio_stream.errors import ForeignOrigin
from trio_stream.http.cors import is_foreign, preflight_headers, response_headers
from trio_stream.web.asgi.exchange import combined, exchange

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that only read (RFC 9110 section 9.2.1), of those there are here."""


def register(app: Quart, allowed: frozenset[str]) -> None:
    """Hold every exchange of `app` to the origins that are `allowed`."""

    @app.before_request
    async def check_request() -> Response | None:
        host = exchange().host(combined(request.scope))
        origin = request.headers.get("Origin")
        if _is_preflight():
            response = Response(b"", status=204)
            wanted = request.headers.get("Access-Control-Request-Method")
            response.headers.extend(preflight_headers(origin, wanted, allowed))
            return response
        if request.method not in SAFE_METHODS:
            refuse_foreign(origin, host, request.scheme, allowed)
        return None

    @app.after_request
    async def add_headers(response: Response) -> Response:
        if not _is_preflight():
            response.headers.extend(response_headers(request.headers.get("Origin"), allowed))
        return response

    @app.before_websocket
    async def check_websocket() -> None:
        host = exchange().host(combined(websocket.scope))
        refuse_foreign(websocket.headers.get("Origin"), host, websocket.scheme, allowed)


def _is_preflight() -> bool:
    """Whether the request asks for leave to make another one (Fetch standard, CORS-preflight request)."""
    asked = {"Origin", "Access-Control-Request-Method"}
    return request.method == "OPTIONS" and all(name in request.headers for name in asked)


def refuse_foreign(origin: str | None, host: str | None, scheme: str, allowed: frozenset[str]) -> None:
    """Raise `ForeignOrigin` for a page of another site, which may change nothing here."""
    if is_foreign(origin, host, scheme, allowed):
        raise ForeignOrigin(f"pages of {origin} may not do this here")
