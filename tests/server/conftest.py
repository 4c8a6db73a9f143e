"""A tiny ASGI application on a real Hypercorn, with the guards and without them, so each fault is shown both ways.

A quick run includes these tests only if `server` or `serving` has changed since they last passed.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from textwrap import dedent
from typing import Any

import psutil
import pytest

from tests import support
from tests.depth import mark_folder
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
    mark_folder(items, Path(__file__).parent, "server")


def run_server(
    folder: Path, source: str, guarded: bool, limits: str, **options: Any
) -> AbstractContextManager[Server]:
    """Run a server of `source` in `folder` for the length of the block."""
    (folder / "videos").mkdir(parents=True)
    guards = INSTALL.format(limits=limits) if guarded else ""
    (folder / "served.py").write_text(LIFESPAN + guards + dedent(source))
    return serving(folder / "videos", folder, app="served:app", **options)


@pytest.fixture(scope="module")
def serve_guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """Start guarded servers that run until the end of the module. The same arguments return the same server.

    What a test does to its connections must not affect later tests: that is what the guards are for.
    """
    servers: dict[str, tuple[Server, int]] = {}

    def is_idle(server: Server, descriptors: int) -> bool:
        """Some applications of these tests outlive their clients, and keep the connections open."""
        process = psutil.Process(server.pid)
        return happens(lambda: process.num_fds() <= descriptors, 1)

    with ExitStack() as stack:

        def start(source: str, **options: Any) -> Server:
            key = repr((source, sorted(options.items())))
            if key in servers and servers[key][0].process.poll() is None and is_idle(*servers[key]):
                server, _ = servers[key]
                server.forget()
            else:
                folder = tmp_path_factory.mktemp("app")
                server = stack.enter_context(run_server(folder, source, True, **options))
                support.lasting.add(server.process.pid)
                servers[key] = server, psutil.Process(server.pid).num_fds()
            return server

        yield start


@pytest.fixture
def serve(tmp_path: Path, serve_guarded: Start) -> Iterator[Start]:
    """`serve(source, guarded=True, limits="send_timeout=1")` runs `source`, which defines `async def app(scope, receive, send, *_)`.

    `source` may `await lifespan(receive, send)`, which is predefined. A server without guards is killed after the test. A
    test of how it stops must stop it itself."""
    with ExitStack() as stack:

        def start(source: str, *, guarded: bool, limits: str = "", **options: Any) -> Server:
            if guarded:
                return serve_guarded(source, limits=limits, **options)
            folder = tmp_path / f"app-{len(list(tmp_path.glob('app-*')))}"
            unguarded = run_server(folder, source, False, limits, **options | {"stops_with": None})
            server = stack.enter_context(unguarded)
            stack.callback(server.kill)
            return server

        yield start


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ...]:
    """Arguments for Hypercorn: a self-signed certificate."""
    return certified(tmp_path_factory.mktemp("certificate"))


@pytest.fixture
def secure(serve: Start, certificate: tuple[str, ...], request: pytest.FixtureRequest) -> Start:
    """As `serve`, with the `APP` of the test's module and TLS."""

    def start(*, guarded: bool, hypercorn: tuple[str, ...] = (), **options: Any) -> Server:
        return serve(request.module.APP, guarded=guarded, hypercorn=(*certificate, *hypercorn), **options)

    return start
