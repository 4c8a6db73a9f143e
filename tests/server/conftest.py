"""A tiny ASGI application on a real Hypercorn, with the guards and without: each fault is shown both ways.

Tests of this room run when the server below the product has changed since they last passed.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from textwrap import dedent
from typing import Any

import psutil
import pytest

from tests import support
from tests.depth import mark_room
from tests.http2 import certified
from tests.support import Server, happens, serving

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


type Start = Callable[..., Server]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    mark_room(items, Path(__file__).parent, "server")


def run(folder: Path, source: str, guarded: bool, limits: str, **more: Any) -> AbstractContextManager[Server]:
    """A server of `source` in `folder`, for the length of the block."""
    (folder / "videos").mkdir(parents=True)
    installed = INSTALL.format(limits=limits) if guarded else ""
    (folder / "served.py").write_text(LIFESPAN + installed + dedent(source))
    return serving(folder / "videos", folder, app="served:app", **more)


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """Starts guarded servers which last until the end of the module, and answers the same one where it is asked the same.

    What a test does to its connections is nothing to the tests after it: that is what the guards are for.
    """
    kept: dict[str, tuple[Server, int]] = {}

    def is_at_rest(server: Server, descriptors: int) -> bool:
        """Some applications of these tests go on without their clients, and keep what those had."""
        process = psutil.Process(server.pid)
        return happens(lambda: process.num_fds() <= descriptors, 1)

    with ExitStack() as stack:

        def start(source: str, **more: Any) -> Server:
            key = repr((source, sorted(more.items())))
            if key in kept and kept[key][0].process.poll() is None and is_at_rest(*kept[key]):
                server, _ = kept[key]
                server.forget()
            else:
                server = stack.enter_context(run(tmp_path_factory.mktemp("app"), source, True, **more))
                support.lasting.add(server.process.pid)
                kept[key] = server, psutil.Process(server.pid).num_fds()
            return server

        yield start


@pytest.fixture
def serve(tmp_path: Path, lasting: Start) -> Iterator[Start]:
    """`serve(source, guarded=True, limits="send_timeout=1")` runs `source`, which defines `async def app(scope, receive, send, *_)`.

    `source` may `await lifespan(receive, send)`, which is there already. A server without guards has to be stopped by the
    test, if that is what it is about; after it, it is killed."""
    with ExitStack() as stack:

        def start(source: str, *, guarded: bool, limits: str = "", **more: Any) -> Server:
            if guarded:
                return lasting(source, limits=limits, **more)
            folder = tmp_path / f"app-{len(list(tmp_path.glob('app-*')))}"
            server = stack.enter_context(run(folder, source, False, limits, **more | {"stops_with": None}))
            stack.callback(server.kill)
            return server

        yield start


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ...]:
    """Arguments for Hypercorn: a certificate nobody knows."""
    return certified(tmp_path_factory.mktemp("certificate"))


@pytest.fixture
def secure(serve: Start, certificate: tuple[str, ...], request: pytest.FixtureRequest) -> Start:
    """As `serve`, with the `APP` of the test's module and TLS."""

    def start(*, guarded: bool, hypercorn: tuple[str, ...] = (), **more: Any) -> Server:
        return serve(request.module.APP, guarded=guarded, hypercorn=(*certificate, *hypercorn), **more)

    return start
