"""HTTP/2: an address may have as many streams as connections, and many streams leave no memory behind."""

from collections.abc import Callable

import pytest
import trio
from h2.errors import ErrorCodes

from tests.depth import large
from tests.http2 import Client, http2
from tests.server.pairs import both
from tests.support import SLOWER, Server, wait_until

APP = """
async def app(scope, receive, send, *_):
    if scope["type"] == "lifespan":
        return await lifespan(receive, send)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    body = {"type": "http.response.body", "more_body": True}
    if scope["path"] == "/endless":
        while True:
            await send(body | {"body": bytes(100_000)})
    await send(body | {"body": b"small", "more_body": False})
"""

type Start = Callable[..., Server]

MAX_STREAMS = 256
"""The default limit of streams per address."""

MAX_GROWTH = 20_000_000
"""Bytes of memory that ten rounds may leave."""


@both
async def test_streams_of_one_address_are_limited(secure: Start, guarded: bool) -> None:
    server = secure(guarded=guarded, limits="connections_per_address=3, unlimited=()")
    async with http2(server) as one, http2(server) as other:
        one.reading = other.reading = set()
        streams = [await one.get("/endless") for _ in range(2)]
        await one.read(lambda: all(len(one.bodies[stream_id]) > 0 for stream_id in streams))
        third = await other.get("/endless")
        await other.read(lambda: len(other.bodies[third]) > 0)
        late = await other.get("/small")
        await other.read(lambda: late in other.resets or late in other.ended)
        assert (other.resets.get(late) == ErrorCodes.REFUSED_STREAM) is guarded
        one.connection.reset_stream(streams[0], ErrorCodes.CANCEL)
        await one.flush()
        with trio.fail_after(SLOWER * 5):  # its reset makes room for another
            while late not in other.ended:
                late = await other.get("/small")
                await other.read(lambda: late in other.resets or late in other.ended)  # noqa: B023 - called in this iteration


async def stall(server: Server, ready: list[Client], leaving: trio.Event) -> None:
    """Open a hundred streams, which fill their first window or are refused, and hold them until `leaving`."""
    async with http2(server) as client:
        client.reading = set()
        streams = {client.ask("/endless") for _ in range(100)}
        await client.flush()
        await client.read(
            lambda: all(
                stream_id in client.resets or len(client.bodies[stream_id]) == 65535 for stream_id in streams
            ),
            SLOWER * 10,
        )
        assert set(client.resets.values()) <= {ErrorCodes.REFUSED_STREAM}
        ready.append(client)
        await leaving.wait()


async def crowd(server: Server, connections: int) -> int:
    """Let this many clients connect, stall and leave. Return how many streams were refused."""
    ready: list[Client] = []
    leaving = trio.Event()
    async with trio.open_nursery() as nursery:
        for _ in range(connections):
            nursery.start_soon(stall, server, ready, leaving)
        await wait_until(lambda: len(ready) == connections, 10, "all to stall")
        refused = sum(len(client.resets) for client in ready)
        leaving.set()
    return refused


@pytest.mark.parametrize(("rounds", "connections"), [(2, 4), large(10, 20)])
async def test_many_clients_leave_no_memory_behind(secure: Start, rounds: int, connections: int) -> None:
    server = secure(guarded=True, limits=f"connections_per_address={MAX_STREAMS}, unlimited=()")
    async with http2(server) as client:
        await client.whole("/small")
    before = server.private_memory()
    for number in range(rounds):
        refused = await crowd(server, connections)
        assert refused >= connections * 100 - MAX_STREAMS - 100 * (number > 0), (
            "some streams may not have ended yet"
        )

    def is_freed() -> bool:
        return server.private_memory() - before < MAX_GROWTH

    await wait_until(is_freed, 3, "the memory to be freed, which takes far less than thirty seconds")
