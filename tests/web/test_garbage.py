"""What nobody needs any more goes at once: no viewer over HTTP leaves a reference cycle for the collector to find.

Where there is nothing to find, nobody has to be stopped for looking; and what a thousand viewers held is given back in
the moment they leave.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

CLIENTS = ("whole", "idle", "leaving", "resetting")

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="module", params=["1", "0"], ids=["zero copy", "views"])
def left(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, dict[str, int]]:
    """What ten clients of each kind left in one server, by type."""
    folder = tmp_path_factory.mktemp("garbage")
    videos = folder / "videos"
    videos.mkdir()
    for name, size in (("small.mp4", 10_000), ("large.mp4", 50_000_000)):
        with (videos / name).open("wb") as file:
            file.truncate(size)
    settings = {
        "VIDEOS": videos,
        "DATA": folder / "data",
        "LOG_LEVEL": "error",
        "ZERO_COPY": request.param,
    }
    ran = subprocess.run(
        [sys.executable, "-m", "tests.web.garbage"],
        cwd=REPOSITORY,
        env=os.environ | {f"TRIO_STREAM_{name}": str(value) for name, value in settings.items()},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    found: dict[str, dict[str, int]] = json.loads(ran.stdout)
    return found


@pytest.mark.parametrize("client", CLIENTS)
def test_a_client_leaves_no_cycle(left: dict[str, dict[str, int]], client: str) -> None:
    assert sum(left[client].values()) < 10, f"ten clients left {left[client]}"
