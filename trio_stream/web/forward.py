"""What only the owner of the data may do: done here if that is this process, else by the owner, through its socket.

The owner speaks the same HTTP there as everywhere, so what is forwarded is the request as it came and what comes back
is its answer.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from functools import wraps
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from quart import Response, request
from quart.wrappers.response import ResponseBody

from trio_stream.errors import NotTheOwner
from trio_stream.web.exchange import services

if TYPE_CHECKING:
    import httpx

PASSED_BACK = ("content-type", "cache-control", "retry-after", "allow")
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
    import httpx  # noqa: PLC0415 - only workers beside the owner need it, and it takes a while to import

    body = await request.get_data()
    async with AsyncExitStack() as stack:
        path = stack.enter_context(services().owner.ownership.socket_path())
        client = await stack.enter_async_context(
            httpx.AsyncClient(
                transport=httpx.AsyncHTTPTransport(uds=path),
                timeout=httpx.Timeout(PATIENCE, read=patience),
            )
        )
        query = request.query_string.decode("latin-1")
        url = f"http://owner{request.path}" + (f"?{query}" if query else "")
        fields = {name: value for name in ("Content-Type", "Accept") if (value := request.headers.get(name))}
        try:
            answer = await client.send(
                client.build_request(request.method, url, content=body, headers=fields), stream=True
            )
        except httpx.TransportError:
            raise NotTheOwner from None
        stack.push_async_callback(answer.aclose)
        response = Response(_Passed(answer, stack.pop_all(), httpx.TransportError), status=answer.status_code)
        response.timeout = None
        response.headers.clear()
        for name in PASSED_BACK:
            if (value := answer.headers.get(name)) is not None:
                response.headers[name] = value
        if (length := answer.headers.get("content-length")) is not None:
            response.headers["Content-Length"] = length
        return response


class _Passed(ResponseBody, AsyncIterator[bytes]):
    """The body of the owner's answer; its connection ends with it. `gone` is raised when the owner has."""

    def __init__(self, answer: "httpx.Response", stack: AsyncExitStack, gone: type[Exception]) -> None:
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
