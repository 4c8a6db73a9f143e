"""The script that kills servers: what it takes, and that it says so when a promise is broken."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "torture"


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, SCRIPT, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


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
