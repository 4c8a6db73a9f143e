"""A tiny ASGI application on a real Hypercorn, with the guards and without: each fault is shown both ways."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from tests.http2 import certified
from tests.support import Server, serving

LIFESPAN = """
async def lifespan(receive, send):
    for phase in ("startup", "shutdown"):
        assert (await receive())["type"] == f"lifespan.{phase}"
        await send({"type": f"lifespan.{phase}.complete"})
"""

INSTALL = """
from trio_stream.server.install import Limits, install

assert install(Limits({limits}))
"""


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """`serve(source, guarded=True, limits="send_timeout=1")` runs `source`, which defines `async def app(scope, receive, send, *_)`.

    `source` may `await lifespan(receive, send)`, which is there already."""
    with ExitStack() as stack:

        def start(source: str, *, guarded: bool, limits: str = "", **more: Any) -> Server:
            folder = tmp_path / f"app-{len(list(tmp_path.glob('app-*')))}"
            folder.mkdir()
            installed = INSTALL.format(limits=limits) if guarded else ""
            (folder / "served.py").write_text(LIFESPAN + installed + dedent(source))
            videos = folder / "videos"
            videos.mkdir()
            return stack.enter_context(serving(videos, folder, app="served:app", **more))

        yield start


@pytest.fixture
def secure(
    serve: Callable[..., Server], request: pytest.FixtureRequest, tmp_path: Path
) -> Callable[..., Server]:
    """As `serve`, with the `APP` of the test's module and TLS. What is not guarded need not end well."""

    def start(*, guarded: bool, hypercorn: tuple[str, ...] = (), **more: Any) -> Server:
        options = (*certified(tmp_path), *hypercorn)
        stops_with = 0 if guarded else None
        return serve(request.module.APP, guarded=guarded, hypercorn=options, stops_with=stops_with, **more)

    return start
