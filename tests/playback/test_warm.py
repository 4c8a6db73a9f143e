"""A segment of a video that was played before needs no thread, no process and no database query."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY


@pytest.mark.parametrize(
    ("name", "zero_copy"), [("b-frames", "1"), ("b-frames", "0"), ("fragmented-by-time", "1")]
)
def test_a_segment_of_a_cached_video_needs_no_thread_or_query(
    tmp_path: Path, films: Path, name: str, zero_copy: str
) -> None:
    library = tmp_path / "videos"
    library.mkdir()
    (library / "film.mp4").write_bytes((films / f"{name}.mp4").read_bytes())
    settings = {
        "VIDEOS": library,
        "DATA": tmp_path / "data",
        "LOG_LEVEL": "error",
        "ZERO_COPY": zero_copy,
        "ARTWORK_SHARE": "0",
    }
    ran = subprocess.run(
        [sys.executable, "-m", "tests.playback.counting"],
        cwd=REPOSITORY,
        env=os.environ | {f"TRIO_STREAM_{name}": str(value) for name, value in settings.items()},
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr[-3000:]
    found = json.loads(ran.stdout)
    assert found["segments"] > 10
    assert found["bytes"] > 1_000_000
    assert found["asked"] == {}
    assert (found["reads"], found["processes"], found["threads"]) == (0, 0, 0)
    assert found["indexes"] == 1
    assert found["ever"] > 3  # the counters work
