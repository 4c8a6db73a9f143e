"""Every test of a route runs both ways: bytes answered directly, and through the web framework."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import Server, serving

BOTH_WAYS = pytest.fixture(scope="session", params=["direct", "through-quart"])


def _environ(request: pytest.FixtureRequest) -> dict[str, str]:
    return {"TRIO_STREAM_DIRECT": "1" if request.param == "direct" else "0"}


@BOTH_WAYS
def server(
    request: pytest.FixtureRequest, sample: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """The server that most tests share."""
    folder = tmp_path_factory.mktemp("server")
    (folder / "videos").mkdir()
    shutil.copy(sample, folder / "videos" / "sample.mp4")
    with serving(folder / "videos", folder, environ=_environ(request)) as running:
        running.get("/api/videos")
        yield running


@BOTH_WAYS
def scratch(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The server whose library each test fills for itself."""
    folder = tmp_path_factory.mktemp("scratch")
    (folder / "videos").mkdir()
    with serving(folder / "videos", folder, environ=_environ(request)) as running:
        running.get("/api/videos")
        yield running
