"""Errors -> problem documents (RFC 9457): the only place where an error becomes a response."""

from dataclasses import dataclass

import structlog
from quart import Quart, Response
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from trio_stream.errors import (
    ClientGone,
    ClientStalled,
    PreconditionFailed,
    RangeNotSatisfiable,
    TrioStreamError,
)
from trio_stream.http.fields import Headers
from trio_stream.http.json_text import encode
from trio_stream.http.problems import MEDIA_TYPE, Problem

log = structlog.get_logger("trio_stream.web")


@dataclass(frozen=True, slots=True)
class ProblemResponse:
    """A response with a problem document."""

    status: int
    headers: Headers
    body: bytes


def register(app: Quart) -> None:
    """Turn every error of `app` into a problem document."""

    async def handle(error: Exception) -> Response:
        return response(describe(error))

    for kind in (TrioStreamError, HTTPException, Exception):
        app.register_error_handler(kind, handle)


def problem(status: int, code: str, detail: str, headers: Headers = ()) -> ProblemResponse:
    """A problem document, with `headers` in addition to those it always has."""
    body = encode(Problem.of(status, code, detail))
    always = {"Content-Type": MEDIA_TYPE, "Content-Length": str(len(body)), "Cache-Control": "no-store"}
    return ProblemResponse(status, tuple((always | dict(headers)).items()), body)


def response(problem: ProblemResponse) -> Response:
    """The problem as a response of Quart."""
    quart_response = Response(problem.body, status=problem.status)
    quart_response.headers.clear()
    quart_response.headers.extend(problem.headers)
    return quart_response


def describe(error: Exception) -> ProblemResponse:
    """The problem document of an error. A bug in the server is logged."""
    headers: Headers = ()
    match error:
        case HTTPException():
            return _http_problem(error)
        case ClientGone() | ClientStalled():
            pass  # there is no client to send it to, and it is not a bug
        case PreconditionFailed(fields=headers):
            pass
        case RangeNotSatisfiable(size=size):
            headers = (("Content-Range", f"bytes */{size}"), ("Accept-Ranges", "bytes"))
        case TrioStreamError(retry_after=int(seconds)):
            headers = (("Retry-After", str(seconds)),)
        case TrioStreamError(status=status) if status < 500:
            pass
        case _:
            log.error("a request failed", exc_info=error, often=True)
            return problem(500, "internal-error", "The server failed. Its log has the details.")
    return problem(error.status, error.code, str(error), headers)


def _http_problem(error: HTTPException) -> ProblemResponse:
    headers: Headers = ()
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        headers = (("Allow", ", ".join(sorted(error.valid_methods))),)
    code = error.name.lower().replace(" ", "-")
    return problem(error.code or 500, code, error.description or error.name, headers)
