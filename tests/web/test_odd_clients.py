"""Nothing that a client does can cause an error in the log of the server."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import trio

from tests.depth import large
from tests.http2 import certified
from tests.support import Server, wait_until
from tests.web.odd_client_kinds import HTTP2, PLAIN, TLS, Client, Ports

ENDED = "stream ended"
"""The line that every stream logs when it ends."""

KINDS: Mapping[str, Mapping[str, Client]] = {"HTTP/1.1": PLAIN, "TLS": TLS, "HTTP/2": HTTP2}


@pytest.fixture
def server(start: Callable[..., Server], tmp_path: Path) -> Server:
    videos = tmp_path / "videos"
    videos.mkdir()
    with (videos / "large.mp4").open("wb") as file:
        file.truncate(50_000_000)
    return start(videos, hypercorn=(*certified(tmp_path), "--insecure-bind", "127.0.0.1:0"))


@pytest.mark.parametrize("over", KINDS)
@pytest.mark.parametrize("times", [2, large(25)])
async def test_no_client_can_cause_an_error_in_the_log(server: Server, over: str, times: int) -> None:
    def ports() -> list[str]:
        return re.findall(r"Running on \w+://127.0.0.1:(\d+)", server.log)

    await wait_until(lambda: len(ports()) == 2, 10, "both ports")
    tls, plain = sorted(map(int, ports()), key=lambda port: port != server.port)
    assert server.url.startswith("https")
    server.wait_idle()
    found: dict[str, list[str]] = {}
    batches = [{name: client} for name, client in KINDS[over].items()] if times > 2 else [dict(KINDS[over])]
    for batch in batches:
        server.forget()
        with trio.fail_after(60):
            async with trio.open_nursery() as nursery:
                for client in times * list(batch.values()):
                    nursery.start_soon(client, Ports(plain, tls))
        await wait_until(lambda: server.metrics()["active_streams"] == 0, 20, "all streams to end")
        lines = [line for line in server.log.splitlines() if ENDED not in line]
        if lines:
            found[", ".join(batch)] = lines
    assert not found
