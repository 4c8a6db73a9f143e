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
from tests.kept import kept, key, remove_unused
from tests.media.making import make
from tests.support import SLOWER, Census, Server, children_of, happens, serving, wait_for

# A machine that tests run on may be busy: what is slow there is not wrong.
hypothesis.settings.register_profile("suite", deadline=None)
hypothesis.settings.load_profile("suite")

REPOSITORY = Path(__file__).parents[1]
SHARED = ("server", "scratch", "either")
"""Fixtures that are servers of more than one test."""

GONE_WITHIN = 2.0
"""Seconds after the end of a test in which everything of its clients has to be gone."""


LONG = (
    *("test_hostile", "test_surviving", "test_jobs", "test_while_streaming"),
    *("test_presentations", "test_owner", "test_worker", "test_playlists", "test_recovery", "test_players"),
    "test_supervisor",
)
"""Modules that take long: they begin first, so that at the end no process works while the others have nothing to do."""

SPREAD = (
    "test_worker",
    "test_supervisor",
    "test_owner",
    "test_cli",
    "test_damage",
    "test_promises",
    "test_surviving",
)
"""Modules whose tests share next to nothing: several processes take their tests, where others stay in one."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.path.stem not in LONG)


TOGETHER = {
    **dict.fromkeys(
        ("tests/web/test_playlists.py", "tests/web/test_made.py", "tests/web/test_compression.py"), "made"
    ),
    **dict.fromkeys(
        ("tests/web/test_library.py", "tests/web/test_watch_state.py", "tests/web/test_openapi.py"), "known"
    ),
}
"""Modules that share a server which takes long to be ready: one process takes them, one after the other."""


class ByFile(LoadScopeScheduling):  # type: ignore[misc] # pytest-xdist has no types
    """Gives the tests of a file to one process, but those of `SPREAD` to any."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return nodeid if Path(file).stem in SPREAD else TOGETHER.get(file, file)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFile | None:
    return ByFile(config, log) if config.getoption("dist") == "loadfile" else None


def pytest_collection_finish() -> None:
    """What there is by now stays: the collector, which `nothing_left_behind` calls, need not look at it again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def sample() -> Path:
    """The demonstration video, made once: 30 s, 1080p, H.264 and AAC."""
    script = REPOSITORY / "scripts" / "demo-video"
    return kept(
        f"sample-{key(script.read_bytes())}.mp4",
        lambda path: subprocess.run([sys.executable, script, path], check=True),
    )


FOOTAGE = (
    "-f lavfi -i testsrc2=size=640x360:rate=24:duration=10,noise=alls=40:allf=t -f lavfi -i sine=duration=10 "
    "-c:v libx264 -preset ultrafast -b:v 3M -g 48 -pix_fmt yuv420p -c:a aac -movflags +faststart"
)


@pytest.fixture(scope="session")
def footage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video where any will do: 10 s of H.264 and AAC, some 4 MB, and no two pictures the same."""
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
    """The server whose library each test fills for itself."""
    folder = tmp_path_factory.mktemp("scratch")
    (folder / "videos").mkdir()
    with serving(folder / "videos", folder) as running:
        running.get("/api/videos")
        yield running


@pytest.fixture
def videos(scratch: Server) -> Path:
    """The library of `running`, empty."""
    for path in scratch.videos.iterdir():  # not the folder itself, which the server watches
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
    return scratch.videos


@pytest.fixture
def running(scratch: Server, videos: Path) -> Server:
    """A server of `videos`, which remembers nothing of the tests before."""
    scratch.forget()
    return scratch


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Starts servers of the test's own: `start(videos, environ={...}, hypercorn=(...))`."""
    with ExitStack() as stack:

        def start_one(videos: Path | None = None, **more: Any) -> Server:
            if videos is None:
                videos = tmp_path / "videos"
                videos.mkdir(exist_ok=True)
            number = len(list(tmp_path.glob("server-*")))
            return stack.enter_context(serving(videos, tmp_path / f"server-{number}", **more))

        yield start_one


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--thorough", action="store_true", help="leave nothing out (see tests/depth.py)")
    parser.addoption("--report", type=Path, help="write what this run says at its end there")


def pytest_configure(config: pytest.Config) -> None:
    report.register(config)
    if not hasattr(config, "workerinput"):
        remove_unused()


ON_POSTGRESQL: dict[str, pytest.MarkDecorator | tuple[()]] = {
    "tests/web/test_library.py": (),
    "tests/web/test_watch_state.py": (),
    "tests/web/test_made.py": pytest.mark.thorough("postgresql"),
    "tests/test_owner.py": pytest.mark.thorough("postgresql"),
}
"""Modules whose servers have a database in PostgreSQL as well. What touches the database itself runs on both anyway."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    marks = ON_POSTGRESQL.get(metafunc.definition.nodeid.partition("::")[0])
    if marks is not None:
        databases = ["sqlite", pytest.param("postgresql", marks=marks)]
        metafunc.parametrize("database_of_servers", databases, indirect=True, scope="session")


@pytest.fixture(scope="session", autouse=True)
def database_of_servers(request: pytest.FixtureRequest) -> Iterator[None]:
    """Gives each server that a test starts a database of its own in PostgreSQL, where that is wanted."""
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
    """Databases of one dialect and then of the other: a test that uses them runs with both."""
    server = request.getfixturevalue("postgresql") if request.param == "postgresql" else None
    return Databases(tmp_path_factory.mktemp(request.param), server)


@pytest.fixture
def database_url(databases: Databases) -> Iterator[URL]:
    """A database of the test's own, with the newest schema and nothing in it."""
    with databases.ready() as url:
        yield url


@pytest.fixture(autouse=True)
def nothing_left_behind(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[None]:
    """Fails any test that leaves a stream, map, descriptor, task, child process or hidden file behind.

    In the shared servers everything has to be again as it was before the test (what the library does meanwhile belongs
    to no test); in this process nothing of the test's own files may be open or mapped, and no child may be left.
    """
    names = [name for name in SHARED if name in request.fixturenames]
    shared: list[Server] = [request.getfixturevalue(name) for name in names]
    before = [_resting.pop(each.pid) if each.pid in _resting else each.settled() for each in shared]
    children = children_of(os.getpid())
    base = str(tmp_path_factory.getbasetemp())
    yield
    gc.collect()
    gc.freeze()  # what is here now is older than what the next tests leave
    for each, then in zip(shared, before, strict=True):
        if _wait_for_census(each, then) == then:
            _resting[each.pid] = then
    wait_for(lambda: not ours_open(base), GONE_WITHIN, "descriptors and maps of this process to be closed")
    left = children_of(os.getpid()) - children - support.lasting
    assert not left, f"child processes left behind: {[psutil.Process(child) for child in left]}"


_resting: dict[int, Census] = {}
"""What the shared servers held before a test and after it, by process: the next test need not find that out again."""


def _wait_for_census(server: Server, before: Census) -> Census:
    """What it holds when that is no more than `before`.

    What the library does in the background is waited for, but only where it matters: idle it holds the least.
    """

    def rest() -> Census | None:
        now = server.census()
        return now if now.within(before) else None

    if (now := happens(rest, GONE_WITHIN)) is not None:
        return now
    server.wait_idle()
    if (now := happens(rest, SLOWER * GONE_WITHIN)) is not None:
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
    """What is done to the file limit and the logs of this process is undone."""
    limit, logging = resource.getrlimit(resource.RLIMIT_NOFILE), structlog.get_config()
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, limit)
    structlog.configure(**logging)
