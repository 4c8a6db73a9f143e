"""Programs that are started with the Python of the system go on in the project's, or say who makes it."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"

programs = pytest.mark.parametrize(
    ("name", "made_by"),
    [
        ("stress", "scripts/serve"),
        *((name, "scripts/test") for name in ("torture", "pictures", "player-figures")),
    ],
)


def bare(root: Path, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the program of a repository that has nothing else, in a Python without any package."""
    (root / "scripts").mkdir()
    for each in (name, "own_python.py"):
        shutil.copy(SCRIPTS / each, root / "scripts")
    command = [sys.executable, "-S", "-E", str(root / "scripts" / name), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)


@programs
def test_goes_on_in_the_python_of_the_project(tmp_path: Path, name: str, made_by: str) -> None:
    own = tmp_path / ".venv" / "bin" / "python"
    own.parent.mkdir(parents=True)
    own.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\nexit 7\n')
    own.chmod(0o755)
    ended = bare(tmp_path, name, "--rounds", "a b")
    assert ended.stdout.splitlines() == [str(tmp_path / "scripts" / name), "--rounds", "a b"]
    assert (ended.returncode, ended.stderr) == (7, "")


@programs
def test_says_who_makes_it(tmp_path: Path, name: str, made_by: str) -> None:
    ended = bare(tmp_path, name)
    assert ended.returncode == 2
    assert f"scripts/{name} needs " in ended.stderr
    assert ended.stderr.endswith(f", which {made_by} sets up\n")
