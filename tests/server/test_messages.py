"""An empty WebSocket message: Quart-Trio mistakes it for no message, fails, and the connection ends.

Upstream: `event.get("bytes") or event["text"]` in `TrioASGIWebsocketConnection.handle_messages`. Its replacement is
`trio_stream.web.asgi.websocket.WebsocketConnection`.
"""

from collections.abc import Callable

import pytest

from tests.server.pairs import plain
from tests.support import Server
from tests.websocket import Closed, opened

APP = """
from quart import websocket
from quart_trio import QuartTrio
from quart_trio.asgi import TrioASGIWebsocketConnection
from trio_stream.web.asgi.websocket import WebsocketConnection

class App(QuartTrio):
    asgi_websocket_class = {connection}
    services = None

app = App("echo")

@app.websocket("/")
async def echo():
    while True:
        message = await websocket.receive()
        await websocket.send(f"{{type(message).__name__}} {{len(message)}}")
"""


@pytest.mark.each_time
@pytest.mark.parametrize("ours", [pytest.param(False, marks=plain), True])
async def test_an_empty_message_is_delivered(serve: Callable[..., Server], ours: bool) -> None:
    connection = "WebsocketConnection" if ours else "TrioASGIWebsocketConnection"
    server = serve(APP.format(connection=connection), guarded=True)
    async with opened(server, "/") as client:
        await client.send(b"x")
        assert await client.receive() == "bytes 1"
        await client.send(b"")
        if ours:
            assert await client.receive() == "bytes 0"
        else:
            with pytest.raises(Closed):
                await client.receive()
