"""Checks of every exchange, with or without Quart: the host name, other sites, preconditions.

Requests under a name that is not this server's are refused (DNS rebinding). Pages of other sites can neither change nor
read anything, unless they are allowed to (the Fetch standard's CORS protocol). `If-Match` with entity-tags fails for
resources without one (RFC 9110 section 13.1.1): its sender does not want to change a state that it has not seen.
Conditions about dates are ignored there (section 13.1.4), and so is `Range` (section 14.2).
"""

from hypercorn.typing import HTTPScope
from quart import Quart, request, websocket

from trio_stream.accounts.grants import Verb
from trio_stream.errors import ForeignOrigin, PreconditionFailed
from trio_stream.http.cors import is_foreign, preflight_headers
from trio_stream.http.fields import Headers
from trio_stream.http.preconditions import requires_entity_tag
from trio_stream.web.asgi import access
from trio_stream.web.asgi.exchange import Exchange, exchange

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
"""The supported methods that only read (RFC 9110 section 9.2.1)."""


def check_request(exchange_: Exchange, scope: HTTPScope, allowed: frozenset[str]) -> Headers | None:
    """The headers of the response to a CORS preflight request; None for any other request, which may be served.

    Raises `WrongHost`, `ForeignOrigin` and `PreconditionFailed`.
    """
    fields = exchange_.fields
    host = exchange_.host()
    if scope["method"] == "OPTIONS" and "origin" in fields and "access-control-request-method" in fields:
        return preflight_headers(fields["origin"], fields["access-control-request-method"], allowed)
    if scope["method"] not in SAFE_METHODS:
        _refuse_foreign(exchange_, host, scope["scheme"], allowed)
        if requires_entity_tag(fields):
            raise PreconditionFailed(())
    return None


def register(app: Quart, allowed: frozenset[str]) -> None:
    """Check every WebSocket of `app` the same way; requests are checked before they reach Quart.

    Both are served only if their grant allows what the route requires.
    """

    @app.before_request
    async def check_access() -> None:
        access.check(exchange(), _verb(request.endpoint))

    @app.before_websocket
    async def check_websocket() -> None:
        current = exchange()
        _refuse_foreign(current, current.host(), websocket.scheme, allowed)
        current.grant = access.decide(current)
        access.check(current, _verb(websocket.endpoint))

    def _verb(endpoint: str | None) -> Verb | None:
        """The verb that a route requires; None where there is no route, which Quart reports."""
        return None if endpoint is None else access.verb_of(app.view_functions[endpoint])


def _refuse_foreign(exchange_: Exchange, host: str | None, scheme: str, allowed: frozenset[str]) -> None:
    origin = exchange_.fields.get("origin")
    if is_foreign(origin, host, scheme, allowed):
        raise ForeignOrigin(f"pages of {origin} are not allowed to do this")
