"""Another version of Hypercorn than the guards were written for is left unchanged, and everything still works."""

import os
from collections.abc import Callable
from pathlib import Path

from tests.support import Server


def test_an_unknown_version_of_hypercorn_is_left_unchanged(
    start: Callable[..., Server], tmp_path: Path
) -> None:
    # The metadata of the installed package counts, and the first on the path is used.
    (tmp_path / "hypercorn-0.99.0.dist-info").mkdir()
    (tmp_path / "hypercorn-0.99.0.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: hypercorn\nVersion: 0.99.0\n"
    )
    videos = tmp_path / "videos"
    videos.mkdir()
    content = os.urandom(3_000_000)
    (videos / "v.mp4").write_bytes(content)
    # With a worker, because plain Hypercorn without one is killed by the signal that ends it here.
    server = start(videos, environ={"PYTHONPATH": str(tmp_path)}, hypercorn=("-w", "1"))
    assert "guards not installed" in server.log
    assert server.get("/api/stream/v.mp4").content == content
    part = server.get("/api/stream/v.mp4", headers={"Range": "bytes=1000000-1999999"})
    assert (part.status_code, part.content) == (206, content[1_000_000:2_000_000])
    metrics = server.metrics()
    assert metrics["chunks_sent"] > len(content) / 65536, "without the guards every chunk is a small copy"
