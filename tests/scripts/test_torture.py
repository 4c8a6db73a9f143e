"""The torture script: its arguments, and that it reports broken promises."""

import re
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "torture"


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, SCRIPT, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)


@pytest.mark.parametrize(
    "arguments", [["--rounds", "0"], ["--longest", "-1"], ["--longest", "nan"], ["rounds"]]
)
def test_wrong_usage(arguments: list[str]) -> None:
    ended = run(*arguments)
    assert ended.returncode == 2
    assert "usage:" in ended.stderr


def test_a_broken_promise_is_reported_and_the_folder_is_kept(tmp_path: Path) -> None:
    """Here the server cannot start, because its database does not exist."""
    folder = tmp_path / "here"
    ended = run("--rounds", "1", "--folder", folder, "--database-url", f"postgresql:///none?host={tmp_path}")
    assert ended.returncode == 1, ended.stdout + ended.stderr
    # Either the check of the database or the end of the server comes first.
    assert "broken: " in ended.stderr
    assert "cannot be used now: " in ended.stderr
    assert (folder / "server" / "server.log").exists()
    assert run("--folder", folder).returncode == 2, "an existing folder is not touched"


GENTLE = (
    *("strange date", "strange name", "strange size", "special file"),
    *("videos away", "worker stopped", "worker killed"),
)
"""Faults after which the server need not wait for a retry."""


def soak(folder: Path) -> list[str | Path]:
    chosen = [word for name in GENTLE for word in ("--only", name)]
    return [sys.executable, SCRIPT, "--minutes", "0.1", "--folder", folder, *chosen]


def test_a_server_survives_faults(tmp_path: Path) -> None:
    ended = subprocess.run(soak(tmp_path / "here"), capture_output=True, text=True, timeout=600, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "all promises kept" in ended.stdout
    assert any(f"{name}: " in ended.stdout for name in GENTLE)
    assert not (tmp_path / "here").exists()


def test_unknown_faults_are_rejected() -> None:
    for arguments in (["--minutes", "1", "--only", "rain"], ["--without", GENTLE[0]], ["--minutes", "nan"]):
        ended = run(*arguments)
        assert ended.returncode == 2, arguments
        assert "usage:" in ended.stderr


def change_a_file(folder: Path, client: httpx.Client) -> None:
    with next((folder / "videos" / "Kept").iterdir()).open("ab") as file:
        file.write(b"x")


def lose_playheads(folder: Path, client: httpx.Client) -> None:
    for item in client.get("/api/videos?limit=200").json().get("items", []):
        client.delete(f"{item['urls']['self']}/playhead")


@pytest.mark.parametrize(
    ("sabotage", "message"),
    [  # either the check of the files or a viewer is the first to notice other bytes
        (change_a_file, "was changed, but not by a fault|with other bytes than those of the file"),
        (lose_playheads, "was acknowledged at"),
    ],
)
def test_lost_data_is_reported(
    tmp_path: Path, sabotage: Callable[[Path, httpx.Client], None], message: str
) -> None:
    """Something else changes the server's files or data again and again."""
    folder = tmp_path / "here"
    with subprocess.Popen(soak(folder), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        url = next(line for line in running.stdout if "serving at" in line).split()[-1]
        with httpx.Client(base_url=url, verify=False) as client:
            while running.poll() is None:
                with suppress(
                    httpx.TransportError, FileNotFoundError
                ):  # the server has ended, or the folder of videos is missing
                    sabotage(folder, client)
                with suppress(subprocess.TimeoutExpired):
                    running.wait(0.05)
        assert running.returncode == 1
        assert re.search(message, running.stderr.read())
