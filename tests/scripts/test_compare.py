"""The comparison of two checkouts prints a ratio for everything that it compares."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.depth import large

REPOSITORY = Path(__file__).resolve().parents[2]
SCRIPT = REPOSITORY / "scripts" / "compare"


def run(*arguments: str | Path) -> tuple[int, str, str]:
    """Return the exit status, standard output and standard error."""
    command = [sys.executable, str(SCRIPT), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=1200, check=False)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("arguments", [(), ("/nowhere",), (REPOSITORY, "--rounds", "0")])
def test_wrong_usage(arguments: tuple[str | Path, ...]) -> None:
    assert run(*arguments)[0] == 2


@pytest.mark.parametrize("most", [large("1000"), large("0.0001")])
def test_a_checkout_is_compared_with_itself(most: str) -> None:
    status, stdout, stderr = run(REPOSITORY, "--rounds", "1", "--minutes", "1", "--most", most)
    assert status == int(float(most) < 1), stderr
    ratios = re.findall(r"^(.+?), (mp4|mkv|ts) +[\d.]+s +[\d.]+s +([\d.]+)x +[\d.]+x$", stdout, re.MULTILINE)
    assert len(ratios) == 9, stdout
    assert all(float(ratio) > 0 for _, _, ratio in ratios)
