"""Two depths of the suite: the quick run, and the tests that only `--thorough` adds.

A test that is marked `thorough(kind)` is left out of a quick run, unless the kind depends on something (`KINDS`) that
has changed since it last passed (`passed.json`). A run reports how many tests of each kind it left out, and why.
"""

import hashlib
import json
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).parents[1]
PASSED = Path(__file__).with_name("passed.json")


def _hash_of(*folders: str) -> str:
    """A hash of all files in these folders."""
    found = hashlib.sha256()
    for folder in folders:
        for path in sorted((REPOSITORY / folder).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                found.update(f"{path.relative_to(REPOSITORY)}\0".encode() + path.read_bytes() + b"\0")
    return found.hexdigest()


def _server() -> str:
    """The packages that are independent of the application, their tests, and their dependencies."""
    versions = [version(name) for name in ("hypercorn", "trio", "h11", "h2", "wsproto")]
    packages = _hash_of("trio_stream/server", "trio_stream/serving", "tests/server", "tests/serving")
    return " ".join((packages, *versions))


@dataclass(frozen=True)
class Kind:
    """Why tests are left out of a quick run, and what they depend on, if they must run whenever that has changed."""

    why: str
    depends_on: Callable[[], str] | None = None

    def is_due(self, passed: str | None) -> bool:
        """Whether tests of this kind must run, if they last passed with `passed`."""
        return self.depends_on is not None and self.depends_on() != passed


KINDS = {
    "hypercorn": Kind(
        "they test bugs of Hypercorn, whose version is the one they passed with",
        lambda: version("hypercorn"),
    ),
    "scripts": Kind(
        "the scripts are those they passed with",
        lambda: _hash_of("scripts", "tests/scripts"),
    ),
    "server": Kind("Hypercorn and our additions to it are those they passed with", _server),
    "large": Kind("a small version of each runs each time"),
    "players": Kind("each player plays some of the videos each time"),
    "both ways": Kind(
        "they test code below the web framework: they run without it, and others run both ways"
    ),
    "postgresql": Kind("the database itself is tested on PostgreSQL each time, and so are some servers"),
}


def last_passed() -> dict[str, str]:
    """The dependencies that each kind last passed with, by kind."""
    return dict(json.loads(PASSED.read_text())) if PASSED.exists() else {}


def record() -> None:
    """Record that all tests of all due kinds have passed."""
    now = {name: kind.depends_on() for name, kind in KINDS.items() if kind.depends_on is not None}
    PASSED.write_text(json.dumps(now, indent=2) + "\n")


def large(*values: object, id: str | None = None) -> Any:  # noqa: A002 - as pytest.param has it
    """A parameter that only `--thorough` uses."""
    return pytest.param(*values, id=id, marks=pytest.mark.thorough("large"))


def mark_folder(items: list[pytest.Item], folder: Path, kind: str) -> None:
    """Mark the tests in a folder as one kind, except those that are marked `each_time`."""
    for item in items:
        if item.path.parent == folder and item.get_closest_marker("each_time") is None:
            item.add_marker(pytest.mark.thorough(kind))


class Depth:
    """A pytest plugin that leaves tests out of a run, and counts them by kind."""

    def __init__(self, *, thorough: bool) -> None:
        passed = last_passed()
        self._runs = {name for name, kind in KINDS.items() if thorough or kind.is_due(passed.get(name))}
        self.left_out: Counter[str] = Counter()

    @pytest.hookimpl(trylast=True)  # after all other filters
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        selected: list[pytest.Item] = []
        left: list[pytest.Item] = []
        for item in items:
            kinds = [mark.args[0] for mark in item.iter_markers("thorough")]
            missing = [kind for kind in kinds if kind not in self._runs]
            self.left_out.update(missing[:1])
            (left if missing else selected).append(item)
        if left:
            config.hook.pytest_deselected(items=left)
            items[:] = selected


if __name__ == "__main__":
    if sys.argv[1:] != ["record"]:
        sys.exit("usage: python -m tests.depth record")
    record()
