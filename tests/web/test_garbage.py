"""Unused objects are freed at once: no viewer leaves a reference cycle for the garbage collector.

So the collector has nothing to find, and does not stop other viewers for long; and the memory of a thousand viewers is
freed as soon as they disconnect.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.depth import large
from tests.http2 import certified

CLIENTS_EACH = 10

FROM_LIBRARIES = 25
"""Cyclic objects of a client of Quart or WebSockets: Werkzeug's matcher, eight for each request, of which there are
three over HTTP/2; and the parser of wsproto."""

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="module", params=["1", large("0")], ids=["zero copy", "views"])
def left(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, dict[str, int]]:
    """The garbage of ten clients of each kind in one server, by type."""
    folder = tmp_path_factory.mktemp("garbage")
    videos = folder / "videos"
    videos.mkdir()
    for name, size in (("small.mp4", 10_000), ("large.mp4", 50_000_000)):
        with (videos / name).open("wb") as file:
            file.truncate(size)
    certified(folder)
    settings = {
        "VIDEOS": videos,
        "DATA": folder / "data",
        "LOG_LEVEL": "error",
        "ZERO_COPY": request.param,
    }
    ran = subprocess.run(
        [sys.executable, "-m", "tests.web.garbage_app", folder / "certificate.pem", folder / "key.pem"],
        cwd=REPOSITORY,
        env=os.environ | {f"TRIO_STREAM_{name}": str(value) for name, value in settings.items()},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    found: dict[str, dict[str, int]] = json.loads(ran.stdout)
    return found


@pytest.mark.parametrize("kind", ["HTTP/1.1", "TLS", "WebSocket", "HTTP/2", "Quart"])
def test_a_client_leaves_no_cycle(left: dict[str, dict[str, int]], kind: str) -> None:
    """Except cycles of libraries, which keep nothing of the client alive: see `FROM_LIBRARIES`."""
    of_others = CLIENTS_EACH * FROM_LIBRARIES if kind in ("WebSocket", "Quart") else 0
    found = {name: types for name, types in left.items() if name.startswith(kind)}
    assert found
    too_many = {name: types for name, types in found.items() if sum(types.values()) >= 10 + of_others}
    assert not too_many, f"ten clients left {too_many}"
