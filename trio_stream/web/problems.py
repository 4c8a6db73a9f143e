"""Errors -> problem JSON (RFC 9457): the one place where an error becomes a response."""

from typing import TYPE_CHECKING

import structlog
from quart import Response, json
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from trio_stream.errors import RangeNotSatisfiable, TooManyStreams, TrioStreamError
from trio_stream.http.problems import MEDIA_TYPE, problem_document

if TYPE_CHECKING:
    from trio_stream.app import TrioStream

log = structlog.get_logger("trio_stream.web")

type Headers = tuple[tuple[str, str], ...]


def register(app: "TrioStream") -> None:
    """Let every error of `app` become a problem document."""
    app.register_error_handler(TrioStreamError, _domain_problem)
    app.register_error_handler(HTTPException, _http_problem)
    app.register_error_handler(Exception, _fault)


def problem(status: int, code: str, detail: str, headers: Headers = ()) -> Response:
    """A problem document as a response."""
    response = Response(
        json.dumps(problem_document(status, code, detail)), status=status, content_type=MEDIA_TYPE
    )
    response.headers["Cache-Control"] = "no-store"
    for name, value in headers:
        response.headers[name] = value
    return response


async def _domain_problem(error: TrioStreamError) -> Response:
    if error.status >= 500 and not isinstance(error, TooManyStreams):
        return await _fault(error)
    headers: Headers = ()
    match error:
        case RangeNotSatisfiable(size=size):
            headers = (("Content-Range", f"bytes */{size}"), ("Accept-Ranges", "bytes"))
        case TooManyStreams(retry_after=seconds):
            headers = (("Retry-After", str(seconds)),)
    return problem(error.status, error.code, str(error), headers)


async def _http_problem(error: HTTPException) -> Response:
    status = error.code or 500
    headers: Headers = ()
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        headers = (("Allow", ", ".join(sorted(error.valid_methods))),)
    code = error.name.lower().replace(" ", "-")
    return problem(status, code, error.description or error.name, headers)


async def _fault(error: Exception) -> Response:
    log.error("a request failed", exc_info=error)
    return problem(500, "internal-error", "The server failed; its log says how.")
