"""Errors -> problem documents (RFC 9457): the one place where an error becomes an answer."""

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
    """A response that says what is wrong."""

    status: int
    headers: Headers
    body: bytes


def register(app: Quart) -> None:
    """Let every error of `app` become a problem document."""

    async def answer(error: Exception) -> Response:
        return response(describe(error))

    for kind in (TrioStreamError, HTTPException, Exception):
        app.register_error_handler(kind, answer)


def problem(status: int, code: str, detail: str, headers: Headers = ()) -> ProblemResponse:
    """A problem document, with `headers` besides those it always has."""
    body = encode(Problem.of(status, code, detail))
    about = {"Content-Type": MEDIA_TYPE, "Content-Length": str(len(body)), "Cache-Control": "no-store"}
    return ProblemResponse(status, tuple((about | dict(headers)).items()), body)


def response(problem: ProblemResponse) -> Response:
    """The problem as Quart sends it."""
    answer = Response(problem.body, status=problem.status)
    answer.headers.clear()
    answer.headers.extend(problem.headers)
    return answer


def describe(error: Exception) -> ProblemResponse:
    """What a client is told of an error; what is a fault of the server's is logged."""
    headers: Headers = ()
    match error:
        case HTTPException():
            return _http_problem(error)
        case ClientGone() | ClientStalled():
            pass  # nobody is there to be told, and it is no fault of the server's
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
            return problem(500, "internal-error", "The server failed; its log says how.")
    return problem(error.status, error.code, str(error), headers)


def _http_problem(error: HTTPException) -> ProblemResponse:
    headers: Headers = ()
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        headers = (("Allow", ", ".join(sorted(error.valid_methods))),)
    code = error.name.lower().replace(" ", "-")
    return problem(error.code or 500, code, error.description or error.name, headers)
