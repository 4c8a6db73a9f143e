"""Run by `test_warm.py`: a server in this process that counts thread calls and database queries per segment."""

import json
import re
import threading
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import h11
import psutil
import trio
import trio.to_thread
from hypercorn.app_wrappers import ASGIWrapper
from hypercorn.config import Config

from trio_stream.app import app
from trio_stream.server.worker import worker_serve

calls: Counter[str] = Counter()
"""Calls to threads, by function."""

WATCH = "_next_changes"
"""The watcher of the folder waits in a thread all the time."""

_run_sync: Callable[..., Any] = trio.to_thread.run_sync


async def counted(function: Callable[..., Any], *args: Any, **more: Any) -> Any:
    name = getattr(function, "func", function).__qualname__
    if name != WATCH:
        calls[name] += 1
    return await _run_sync(function, *args, **more)


trio.to_thread.run_sync = counted  # type: ignore[assignment] # has the same signature


class Client:
    """One connection, and the bodies of responses on it."""

    def __init__(self, stream: trio.SocketStream) -> None:
        self._stream = stream
        self._connection = h11.Connection(h11.CLIENT)

    async def get(self, path: str) -> bytes:
        request = h11.Request(method="GET", target=path, headers=[("Host", "t")])
        await self._stream.send_all(self._connection.send(request) or b"")
        await self._stream.send_all(self._connection.send(h11.EndOfMessage()) or b"")
        body = bytearray()
        while True:
            event = self._connection.next_event()
            match event:
                case h11.NEED_DATA:
                    self._connection.receive_data(await self._stream.receive_some(1 << 16))
                case h11.Response():
                    assert event.status_code == 200, (path, event.status_code)
                case h11.Data():
                    body += event.data
                case h11.EndOfMessage():
                    self._connection.start_next_cycle()
                    return bytes(body)


async def main() -> None:
    """Print the cost of fifty segments of a video that was played before."""
    config = Config()
    config.bind, config.loglevel = ["127.0.0.1:0"], "error"
    sockets = config.create_sockets()
    port = sockets.insecure_sockets[0].getsockname()[1]
    async with trio.open_nursery() as nursery:
        serve = partial(worker_serve, ASGIWrapper(app), config, sockets=sockets)
        await nursery.start(partial(serve, shutdown_trigger=trio.sleep_forever))
        async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
            client = Client(stream)
            with trio.fail_after(60):
                while not (items := json.loads(await client.get("/api/videos?limit=1"))["items"]):
                    await trio.sleep(0.05)
                while not json.loads(await client.get("/api/library"))["idle"]:
                    await trio.sleep(0.05)
            [item] = items
            folder = f"/api/videos/{item['id']}"
            segments = []
            for name in ("v1", "a2", "v1-keys"):
                playlist = (await client.get(f"{folder}/{name}.m3u8")).decode()
                segments += re.findall(r"^r/\S+|(?<=URI=\")r/[^\"]+", playlist, re.MULTILINE)
            first = [await client.get(f"{folder}/{segment}") for segment in segments]
            before = calls.copy(), app.services.database.statistics().reads, _processes(), _threads()
            sizes = 0
            for number in range(50):
                place = number % len(segments)
                body = await client.get(f"{folder}/{segments[place]}")
                assert body == first[place]
                sizes += len(body)
            after = calls.copy(), app.services.database.statistics().reads, _processes(), _threads()
        print(
            json.dumps({
                "segments": len(segments),
                "bytes": sizes,
                "asked": after[0] - before[0],
                "reads": after[1] - before[1],
                "processes": after[2] - before[2],
                "threads": len(after[3] - before[3]),
                "indexes": app.services.indexes.statistics().read,
                "ever": sum(calls.values()),
            })
        )  # fmt: skip
        nursery.cancel_scope.cancel()


def _processes() -> int:
    return len(psutil.Process().children(recursive=True))


def _threads() -> set[threading.Thread]:
    """The threads that run now. A thread without work ends by itself, so their number may fall at any time."""
    return set(threading.enumerate())


if __name__ == "__main__":
    trio.run(main)
