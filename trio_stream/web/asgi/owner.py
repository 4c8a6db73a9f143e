"""Requests that only the owner of the data may serve: other processes forward them to the owner, through its socket.

The owner speaks HTTP on its socket, too. So the request is forwarded as HTTP, and the response comes back in chunks, as
fast as the client reads them. If the client disconnects, the request to the owner ends, too.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from functools import wraps
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, cast

from quart import Response, request
from quart.wrappers.response import ResponseBody

from trio_stream.accounts import grants
from trio_stream.accounts.grants import Grant
from trio_stream.errors import BadRequest, NotTheOwner
from trio_stream.services import Services
from trio_stream.web.asgi.exchange import exchange, services

if TYPE_CHECKING:
    import httpx

REQUEST_FIELDS = (
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
"""Header fields of a request that are forwarded to the owner."""

RESPONSE_FIELDS = (
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
"""Header fields of the owner's response that are returned to the client."""

TIMEOUT = 30.0
"""Seconds to wait for the owner."""

type View[**P] = Callable[P, Awaitable[Any]]


def owner_only[**P](view: View[P], read_timeout: float | None = TIMEOUT) -> View[P]:
    """Run the view in the process that owns the data, which may send nothing for `read_timeout` seconds."""

    @wraps(view)
    async def wrapper(*args: P.args, **kwargs: P.kwargs) -> Any:
        if services().owner.mine:
            return await view(*args, **kwargs)
        return await _forward(read_timeout)

    return wrapper


async def _forward(read_timeout: float | None) -> Response:
    body = cast("bytes", await request.get_data())
    query = request.query_string.decode("latin-1")
    raw_path: bytes = request.scope["raw_path"]
    path = raw_path.decode("latin-1") + (f"?{query}" if query else "")
    fields = {name.lower(): value for name, value in request.headers.items()}
    forwarded = await forward_to_owner(
        services(),
        request.method,
        path,
        fields,
        body,
        grant=exchange().grant,
        read_timeout=read_timeout,
    )
    response = Response(forwarded, status=forwarded.status)
    response.timeout = None
    response.headers.clear()
    response.headers.extend(forwarded.headers)
    return response


async def forward_to_owner(
    services: Services,
    method: str,
    path: str,
    fields: Mapping[str, str],
    body: bytes = b"",
    *,
    grant: Grant,
    read_timeout: float | None = TIMEOUT,
) -> "ForwardedResponse":
    """Forward a request to the owner, and return once the head of its response has arrived. Raises `NotTheOwner`.

    The owner applies `grant`, which this process has decided. `path` is as the client spelt it, with its query.
    `fields` have lower-case names. The owner may send nothing for `read_timeout` seconds.
    """
    import httpx  # noqa: PLC0415 - only workers that are not the owner need it, and importing it takes a while

    async with AsyncExitStack() as stack:
        socket = stack.enter_context(services.owner.ownership.socket_path())
        client = await stack.enter_async_context(
            httpx.AsyncClient(
                # The socket has no TLS, so certificates, which take long to load, are not needed.
                transport=httpx.AsyncHTTPTransport(uds=socket, verify=False),
                timeout=httpx.Timeout(TIMEOUT, read=read_timeout),
                headers={"Accept-Encoding": "identity"},  # unless the client says what it accepts
            )
        )
        try:
            response = await client.send(
                client.build_request(
                    method,
                    f"http://owner{path}",
                    content=body or None,
                    headers=[
                        (grants.FIELD.encode("ascii"), grants.encode(grant).encode("ascii")),
                        *(
                            (name.encode("ascii"), value.encode("latin-1"))
                            for name in REQUEST_FIELDS
                            if (value := fields.get(name.lower()))
                        ),
                    ],
                ),
                stream=True,
            )
        except httpx.InvalidURL:
            raise BadRequest("the address of the request is invalid") from None
        except httpx.TransportError:
            raise NotTheOwner from None
        stack.push_async_callback(response.aclose)
        return ForwardedResponse(response, stack.pop_all(), httpx.TransportError)


class ForwardedResponse(ResponseBody, AsyncIterator[bytes]):
    """The response of the owner; closing it closes the connection. `transport_error` means that the owner has ended."""

    def __init__(
        self, response: "httpx.Response", stack: AsyncExitStack, transport_error: type[Exception]
    ) -> None:
        self.status = response.status_code
        self.headers = tuple(
            (name, value) for name in RESPONSE_FIELDS if (value := response.headers.get(name)) is not None
        )
        self._data = response.aiter_raw()
        self._stack = stack
        self._transport_error = transport_error

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
        except self._transport_error:
            raise NotTheOwner from None  # in the middle of the body, which is cut off for the client, too
