"""The script that makes servers' lives hard: what it takes, and that it says so when a promise is broken."""

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


def test_a_broken_promise_is_told_and_its_traces_are_kept(tmp_path: Path) -> None:
    """Here of a server that nobody could start, because there is no such database."""
    folder = tmp_path / "here"
    ended = run("--rounds", "1", "--folder", folder, "--database-url", f"postgresql:///none?host={tmp_path}")
    assert ended.returncode == 1, ended.stdout + ended.stderr
    # By its own look at the database, or by the end of the server, whichever is first.
    assert "broken: " in ended.stderr
    assert "cannot be used now: " in ended.stderr
    assert (folder / "server" / "server.log").exists()
    assert run("--folder", folder).returncode == 2, "what is there is left alone"


GENTLE = (
    *("strange date", "strange name", "strange size", "special file"),
    *("videos away", "worker stopped", "worker killed"),
)
"""Faults after which nothing has to wait until it is tried again."""


def soak(folder: Path) -> list[str | Path]:
    chosen = [word for name in GENTLE for word in ("--only", name)]
    return [sys.executable, SCRIPT, "--minutes", "0.1", "--folder", folder, *chosen]


def test_a_server_lives_through_faults(tmp_path: Path) -> None:
    ended = subprocess.run(soak(tmp_path / "here"), capture_output=True, text=True, timeout=600, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "all promises kept" in ended.stdout
    assert any(f"{name}: " in ended.stdout for name in GENTLE)
    assert not (tmp_path / "here").exists()


def test_what_faults_there_are() -> None:
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
    ("sabotage", "told"),
    [  # who notices first that a file has other bytes is a matter of chance: the look at it, or one of its viewers
        (change_a_file, "was changed, and not by us|with other bytes than it has"),
        (lose_playheads, "was acknowledged at"),
    ],
)
def test_what_a_server_loses_is_told(
    tmp_path: Path, sabotage: Callable[[Path, httpx.Client], None], told: str
) -> None:
    """Somebody else changes what the server is to keep, again and again."""
    folder = tmp_path / "here"
    with subprocess.Popen(soak(folder), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        url = next(line for line in running.stdout if "serving at" in line).split()[-1]
        with httpx.Client(base_url=url, verify=False) as client:
            while running.poll() is None:
                with suppress(
                    httpx.TransportError, FileNotFoundError
                ):  # it has ended, or its videos are away
                    sabotage(folder, client)
                with suppress(subprocess.TimeoutExpired):
                    running.wait(0.05)
        assert running.returncode == 1
        assert re.search(told, running.stderr.read())
