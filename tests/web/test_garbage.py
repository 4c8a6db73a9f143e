"""What nobody needs any more goes at once: no viewer leaves a reference cycle for the collector to find.

Where there is nothing to find, nobody has to be stopped for looking; and what a thousand viewers held is given back in
the moment they leave.
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

OF_OTHERS = 25
"""Objects of a client of Quart or WebSockets: Werkzeug's matcher, eight a request, of which there are three over HTTP/2;
and the parser of wsproto. Each knows itself."""

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="module", params=["1", large("0")], ids=["zero copy", "views"])
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
    """But for those of others, which hold nothing of the client: see `OF_OTHERS`."""
    of_others = CLIENTS_EACH * OF_OTHERS if kind in ("WebSocket", "Quart") else 0
    found = {name: types for name, types in left.items() if name.startswith(kind)}
    assert found
    too_many = {name: types for name, types in found.items() if sum(types.values()) >= 10 + of_others}
    assert not too_many, f"ten clients left {too_many}"
