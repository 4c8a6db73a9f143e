"""What only the owner of the data may do: done here if that is this process, else by the owner, through its socket.

The owner speaks the same HTTP there as everywhere, so what is forwarded is the request as it came and what comes back
is its answer, piece by piece, as fast as the client takes it. A client that leaves ends the request to the owner too.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from functools import wraps
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, cast

from quart import Response, request
from quart.wrappers.response import ResponseBody

from trio_stream.errors import BadRequest, NotTheOwner
from trio_stream.services import Services
from trio_stream.web.asgi.exchange import services

if TYPE_CHECKING:
    import httpx

PASSED_ON = (
    "Accept",
    "Accept-Encoding",
    "Content-Type",
    "If-Match",
    "If-Modified-Since",
    "If-None-Match",
    "If-Range",
    "If-Unmodified-Since",
    "Range",
)
"""Header fields of a request that the owner has to know."""

PASSED_BACK = (
    "Content-Type",
    "Content-Encoding",
    "Vary",
    "Content-Length",
    "Content-Range",
    "Content-Disposition",
    "Accept-Ranges",
    "ETag",
    "Last-Modified",
    "Cache-Control",
    "X-Content-Type-Options",
    "Retry-After",
    "Allow",
)
"""Header fields of an answer that are the owner's to say."""

PATIENCE = 30.0
"""Seconds to wait for the owner."""

type View[**P] = Callable[P, Awaitable[Any]]


def by_the_owner[**P](view: View[P], patience: float | None = PATIENCE) -> View[P]:
    """Let the view run in the process that owns the data; `patience` is for its silence, in seconds."""

    @wraps(view)
    async def wherever(*args: P.args, **kwargs: P.kwargs) -> Any:
        if services().owner.mine:
            return await view(*args, **kwargs)
        return await _forward(patience)

    return wherever


async def _forward(patience: float | None) -> Response:
    body = cast("bytes", await request.get_data())
    query = request.query_string.decode("latin-1")
    raw_path: bytes = request.scope["raw_path"]
    path = raw_path.decode("latin-1") + (f"?{query}" if query else "")
    fields = {name.lower(): value for name, value in request.headers.items()}
    passed = await ask_the_owner(services(), request.method, path, fields, body, patience=patience)
    response = Response(passed, status=passed.status)
    response.timeout = None
    response.headers.clear()
    response.headers.extend(passed.headers)
    return response


async def ask_the_owner(
    services: Services,
    method: str,
    path: str,
    fields: Mapping[str, str],
    body: bytes = b"",
    *,
    patience: float | None = PATIENCE,
) -> "Passed":
    """What the owner answers, as far as its head. Raises `NotTheOwner` where nobody does.

    `path` is as a client spells it, with its query; `fields` by lower-case name; `patience` for silence, in seconds.
    """
    import httpx  # noqa: PLC0415 - only workers beside the owner need it, and it takes a while to import

    async with AsyncExitStack() as stack:
        socket = stack.enter_context(services.owner.ownership.socket_path())
        client = await stack.enter_async_context(
            httpx.AsyncClient(
                # There is no TLS on it: certificates, which take long to load, are none of its business.
                transport=httpx.AsyncHTTPTransport(uds=socket, verify=False),
                timeout=httpx.Timeout(PATIENCE, read=patience),
                headers={"Accept-Encoding": "identity"},  # unless the client says what it takes
            )
        )
        try:
            answer = await client.send(
                client.build_request(
                    method,
                    f"http://owner{path}",
                    content=body or None,
                    headers=[
                        (name.encode("ascii"), value.encode("latin-1"))
                        for name in PASSED_ON
                        if (value := fields.get(name.lower()))
                    ],
                ),
                stream=True,
            )
        except httpx.InvalidURL:
            raise BadRequest("that is no address") from None
        except httpx.TransportError:
            raise NotTheOwner from None
        stack.push_async_callback(answer.aclose)
        return Passed(answer, stack.pop_all(), httpx.TransportError)


class Passed(ResponseBody, AsyncIterator[bytes]):
    """The answer of the owner; its connection ends with it. `gone` is raised when the owner has."""

    def __init__(self, answer: "httpx.Response", stack: AsyncExitStack, gone: type[Exception]) -> None:
        self.status = answer.status_code
        self.headers = tuple(
            (name, value) for name in PASSED_BACK if (value := answer.headers.get(name)) is not None
        )
        self._data = answer.aiter_raw()
        self._stack = stack
        self._gone = gone

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        try:
            return await anext(self._data)
        except self._gone:
            raise NotTheOwner from None  # in the middle of its answer, which is cut off for the client as well
