"""Fixtures of the whole suite: the server, its library, and the check that no test leaves anything behind."""

import gc
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import hypothesis
import psutil
import pytest
import structlog
from sqlalchemy.engine import URL
from xdist.scheduler import LoadScopeScheduling

from tests import report, support
from tests.databases import Databases, Postgres, postgres
from tests.media.making import make
from tests.media_cache import cached_file, key, remove_unused
from tests.support import SLOWER, Census, Server, children_of, happens, serving, wait_for

# The test machine may be busy, so slow tests are not failures.
hypothesis.settings.register_profile("suite", deadline=None)
hypothesis.settings.load_profile("suite")

REPOSITORY = Path(__file__).parents[1]
SHARED = ("server", "scratch", "either")
"""Fixtures of servers that several tests share."""

GONE_WITHIN = 2.0
"""Seconds after the end of a test within which all traces of its clients must be gone."""


LONG = (
    *("test_hostile", "test_surviving", "test_jobs", "test_while_streaming"),
    *("test_presentations", "test_owner", "test_worker", "test_playlists", "test_recovery", "test_players"),
    "test_supervisor",
)
"""Slow modules: they start first, so that at the end no process still works while the others are idle."""

SPREAD = (
    "test_worker",
    "test_supervisor",
    "test_owner",
    "test_cli",
    "test_damage",
    "test_promises",
    "test_surviving",
)
"""Modules whose tests share almost nothing: several processes run their tests. Other modules stay in one process."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.path.stem not in LONG)


TOGETHER = {
    **dict.fromkeys(
        ("tests/web/test_playlists.py", "tests/web/test_derived.py", "tests/web/test_compression.py"),
        "derived",
    ),
    **dict.fromkeys(
        ("tests/web/test_library.py", "tests/web/test_watch_state.py", "tests/web/test_openapi.py"), "library"
    ),
}
"""Modules that share a server which starts slowly: one process runs them, one after the other."""


class ByFile(LoadScopeScheduling):  # type: ignore[misc] # pytest-xdist has no types
    """Gives the tests of one file to one process, except those in `SPREAD`, which go to any."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return nodeid if Path(file).stem in SPREAD else TOGETHER.get(file, file)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFile | None:
    return ByFile(config, log) if config.getoption("dist") == "loadfile" else None


def pytest_collection_finish() -> None:
    """Exempt all existing objects from garbage collection, which `nothing_left_behind` runs after every test."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def sample() -> Path:
    """The demo video, generated once: 30 s, 1080p, H.264 and AAC."""
    script = REPOSITORY / "scripts" / "demo-video"
    return cached_file(
        f"sample-{key(script.read_bytes())}.mp4",
        lambda path: subprocess.run([sys.executable, script, path], check=True),
    )


FOOTAGE = (
    "-f lavfi -i testsrc2=size=640x360:rate=24:duration=10,noise=alls=40:allf=t -f lavfi -i sine=duration=10 "
    "-c:v libx264 -preset ultrafast -b:v 3M -g 48 -pix_fmt yuv420p -c:a aac -movflags +faststart"
)


@pytest.fixture(scope="session")
def footage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video for general use: 10 s of H.264 and AAC, about 4 MB, without two equal frames."""
    return make(tmp_path_factory.mktemp("footage") / "footage.mp4", FOOTAGE)


@pytest.fixture(scope="session")
def server(
    database_of_servers: None, footage: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """The server that most tests share."""
    folder = tmp_path_factory.mktemp("server")
    videos = folder / "videos"
    videos.mkdir()
    shutil.copy(footage, videos / "sample.mp4")
    with serving(videos, folder) as running:
        running.get("/api/videos")
        yield running


@pytest.fixture(scope="session")
def scratch(database_of_servers: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The server whose library each test fills itself."""
    folder = tmp_path_factory.mktemp("scratch")
    (folder / "videos").mkdir()
    with serving(folder / "videos", folder) as running:
        running.get("/api/videos")
        yield running


@pytest.fixture
def videos(scratch: Server) -> Path:
    """The library of `running`, empty."""
    for path in scratch.videos.iterdir():  # but not the folder itself, which the server watches
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
    return scratch.videos


@pytest.fixture
def running(scratch: Server, videos: Path) -> Server:
    """A server for `videos`, without any state from earlier tests."""
    scratch.forget()
    return scratch


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Starts servers for one test: `start(videos, environ={...}, hypercorn=(...))`."""
    with ExitStack() as stack:

        def start_one(videos: Path | None = None, **more: Any) -> Server:
            if videos is None:
                videos = tmp_path / "videos"
                videos.mkdir(exist_ok=True)
            number = len(list(tmp_path.glob("server-*")))
            return stack.enter_context(serving(videos, tmp_path / f"server-{number}", **more))

        yield start_one


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--thorough", action="store_true", help="run all tests (see tests/depth.py)")
    parser.addoption("--report", type=Path, help="write the summary of this run to this file")


def pytest_configure(config: pytest.Config) -> None:
    report.register(config)
    if not hasattr(config, "workerinput"):
        remove_unused()


ON_POSTGRESQL: dict[str, pytest.MarkDecorator | tuple[()]] = {
    "tests/web/test_library.py": (),
    "tests/web/test_watch_state.py": (),
    "tests/web/test_derived.py": pytest.mark.thorough("postgresql"),
    "tests/test_owner.py": pytest.mark.thorough("postgresql"),
}
"""Modules whose servers also run with PostgreSQL. Tests of the database itself run on both anyway."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    marks = ON_POSTGRESQL.get(metafunc.definition.nodeid.partition("::")[0])
    if marks is not None:
        databases = ["sqlite", pytest.param("postgresql", marks=marks)]
        metafunc.parametrize("database_of_servers", databases, indirect=True, scope="session")


@pytest.fixture(scope="session", autouse=True)
def database_of_servers(request: pytest.FixtureRequest) -> Iterator[None]:
    """Gives each server that a test starts its own PostgreSQL database, if that is requested."""
    before = support.new_database
    if getattr(request, "param", "sqlite") == "postgresql":
        support.new_database = request.getfixturevalue("postgresql").database
    yield
    support.new_database = before


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Postgres]:
    """The PostgreSQL server of all tests."""
    with postgres() as running:
        yield running


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def databases(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Databases:
    """Databases of each dialect: a test that uses them runs with both."""
    server = request.getfixturevalue("postgresql") if request.param == "postgresql" else None
    return Databases(tmp_path_factory.mktemp(request.param), server)


@pytest.fixture
def database_url(databases: Databases) -> Iterator[URL]:
    """An empty database with the newest schema, for one test."""
    with databases.ready() as url:
        yield url


@pytest.fixture(autouse=True)
def nothing_left_behind(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[None]:
    """Fails any test that leaves a stream, map, descriptor, task, child process or hidden file behind.

    The shared servers must return to their state from before the test (background work of the library belongs to no
    test). In this process, no file of the test may be open or mapped, and no child process may be left.
    """
    names = [name for name in SHARED if name in request.fixturenames]
    shared: list[Server] = [request.getfixturevalue(name) for name in names]
    before = [_last_census.pop(each.pid) if each.pid in _last_census else each.settled() for each in shared]
    children = children_of(os.getpid())
    base = str(tmp_path_factory.getbasetemp())
    yield
    gc.collect()
    gc.freeze()  # existing objects need not be collected again after the next tests
    for each, then in zip(shared, before, strict=True):
        if _wait_for_census(each, then) == then:
            _last_census[each.pid] = then
    wait_for(lambda: not ours_open(base), GONE_WITHIN, "descriptors and maps of this process to be closed")
    left = children_of(os.getpid()) - children - support.lasting
    assert not left, f"child processes left behind: {[psutil.Process(child) for child in left]}"


_last_census: dict[int, Census] = {}
"""The census of each shared server after the last test, by process, so that the next test need not take it again."""


def _wait_for_census(server: Server, before: Census) -> Census:
    """The census of the server once it holds no more than `before`.

    This waits for background work of the library only if necessary; an idle server holds the least.
    """

    def settled() -> Census | None:
        now = server.census()
        return now if now.within(before) else None

    if (now := happens(settled, GONE_WITHIN)) is not None:
        return now
    server.wait_idle()
    if (now := happens(settled, SLOWER * GONE_WITHIN)) is not None:
        return now
    pytest.fail(f"left behind in the server: had {before}, has {server.census()}")


def ours_open(base: str) -> list[str]:
    """Files below `base` that this process has open or mapped."""
    found = []
    for fd in os.listdir("/proc/self/fd"):
        try:
            target = os.readlink(f"/proc/self/fd/{fd}")
        except FileNotFoundError:
            continue
        if target.startswith(base) and not target.endswith(".log"):
            found.append(target)
    with open("/proc/self/maps") as maps:
        found += [line for line in maps if base in line]
    return found


@pytest.fixture
def this_process_stays_as_it_is() -> Iterator[None]:
    """Restore the file limit and the logging of this process."""
    limit, logging = resource.getrlimit(resource.RLIMIT_NOFILE), structlog.get_config()
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, limit)
    structlog.configure(**logging)
