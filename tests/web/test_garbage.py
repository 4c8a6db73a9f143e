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


@pytest.mark.parametrize("zero_copy", ["1", "0"])
@pytest.mark.parametrize("client", CLIENTS)
def test_a_client_leaves_no_cycle(tmp_path: Path, client: str, zero_copy: str) -> None:
    videos = tmp_path / "videos"
    videos.mkdir()
    for name, size in (("small.mp4", 10_000), ("large.mp4", 50_000_000)):
        with (videos / name).open("wb") as file:
            file.truncate(size)
    settings = {"VIDEOS": videos, "DATA": tmp_path / "data", "LOG_LEVEL": "error", "ZERO_COPY": zero_copy}
    ran = subprocess.run(
        [sys.executable, "-m", "tests.web.garbage", client],
        cwd=REPOSITORY,
        env=os.environ | {f"TRIO_STREAM_{name}": str(value) for name, value in settings.items()},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    found = json.loads(ran.stdout)
    assert sum(found.values()) < 10, f"ten clients left {found}"
