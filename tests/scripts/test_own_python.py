"""Programs that are started with the system's Python continue in the project's, or say which script sets it up."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"

programs = pytest.mark.parametrize(
    ("name", "set_up_by"),
    [
        ("stress", "scripts/serve"),
        *(
            (name, "scripts/test")
            for name in ("torture", "screenshots", "player-figures", "demo-library", "readability")
        ),
    ],
)


def run_alone(root: Path, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the program in a repository that has nothing else, in a Python without any packages."""
    (root / "scripts").mkdir()
    for each in (name, "own_python.py"):
        shutil.copy(SCRIPTS / each, root / "scripts")
    command = [sys.executable, "-S", "-E", str(root / "scripts" / name), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)


@programs
def test_programs_continue_in_the_python_of_the_project(tmp_path: Path, name: str, set_up_by: str) -> None:
    own = tmp_path / ".venv" / "bin" / "python"
    own.parent.mkdir(parents=True)
    own.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\nexit 7\n')
    own.chmod(0o755)
    ended = run_alone(tmp_path, name, "--rounds", "a b")
    assert ended.stdout.splitlines() == [str(tmp_path / "scripts" / name), "--rounds", "a b"]
    assert (ended.returncode, ended.stderr) == (7, "")


@programs
def test_programs_say_which_script_sets_it_up(tmp_path: Path, name: str, set_up_by: str) -> None:
    ended = run_alone(tmp_path, name)
    assert ended.returncode == 2
    assert f"scripts/{name} needs " in ended.stderr
    assert ended.stderr.endswith(f", which {set_up_by} sets up\n")
