"""Preconditions of what has no entity-tag: JSON as it is now, and whatever changes something.

`If-Match` with entity-tags fails there, because what is there has none of them (RFC 9110 section 13.1.1): who sends it
does not want to change a state that they do not know. Conditions about dates are ignored (section 13.1.4), and so is
`Range` (section 14.2).
"""

from collections.abc import Mapping

from quart import Quart, Response, request

from trio_stream.errors import PreconditionFailed
from trio_stream.http.preconditions import asks_for_a_tag
from trio_stream.web.asgi.exchange import combined
from trio_stream.web.asgi.origins import SAFE_METHODS
from trio_stream.web.asgi.problems import describe, response


def register(app: Quart) -> None:
    """Hold every request of `app` to its `If-Match`; responses with an `ETag` have been held to it already."""

    @app.before_request
    async def check_change() -> None:
        if request.method not in SAFE_METHODS:
            refuse_change(combined(request.scope))

    @app.after_request
    async def check_response(answer: Response) -> Response:
        if (
            answer.status_code == 200
            and "ETag" not in answer.headers
            and asks_for_a_tag(combined(request.scope))
        ):
            return response(describe(PreconditionFailed(())))
        return answer


def refuse_change(fields: Mapping[str, str]) -> None:
    """Raise `PreconditionFailed` where a change is wanted only of a state with some entity-tag: none has one."""
    if asks_for_a_tag(fields):
        raise PreconditionFailed(())
