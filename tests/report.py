"""The report of a pytest run, for the summary of `scripts/test`: outcomes, the slowest tests, and tests left out.

`pytest --report FILE` writes it; `python -m tests.report FOLDER` sums up the files of a folder.
"""

import json
import sys
from collections import Counter, defaultdict
from operator import itemgetter
from pathlib import Path
from typing import Any

import pytest

from tests.depth import KINDS, Depth

SLOWEST = 10


class Report:
    """Collects the durations of tests, in the process that writes to the terminal."""

    def __init__(self, path: Path, depth: Depth) -> None:
        self._path = path
        self._depth = depth
        self._seconds: defaultdict[str, float] = defaultdict(float)
        self._outcomes: Counter[str] = Counter()
        self._left_out: dict[str, int] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._seconds[report.nodeid] += report.duration
        if report.when == "call" or report.outcome != "passed":
            self._outcomes[report.outcome] += 1

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """A process of pytest-xdist has ended: each of them has collected all tests."""
        self._left_out = getattr(node, "workeroutput", {}).get("left_out", self._left_out)

    def pytest_sessionfinish(self) -> None:
        found = {
            "outcomes": self._outcomes,
            "left_out": self._left_out or self._depth.left_out,
            "slowest": sorted(self._seconds.items(), key=itemgetter(1), reverse=True)[:SLOWEST],
        }
        self._path.write_text(json.dumps(found))


class Worker:
    """Reports the tests left out here to the process that writes to the terminal."""

    def __init__(self, depth: Depth) -> None:
        self._depth = depth

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        session.config.workeroutput["left_out"] = dict(self._depth.left_out)  # type: ignore[attr-defined] # pytest-xdist has put it there


def register(config: pytest.Config) -> None:
    """Install the requested depth and report."""
    depth = Depth(thorough=config.getoption("--thorough"))
    config.pluginmanager.register(depth)
    if hasattr(config, "workerinput"):
        config.pluginmanager.register(Worker(depth))
    elif path := config.getoption("--report"):
        config.pluginmanager.register(Report(path, depth))


def summary(folder: Path) -> str:
    """The ten slowest tests of all runs that wrote into `folder`, and the tests they left out."""
    outcomes: Counter[str] = Counter()
    left_out: Counter[str] = Counter()
    slowest: list[tuple[float, str]] = []
    for path in sorted(folder.glob("*.json")):
        found = json.loads(path.read_text())
        outcomes.update(found["outcomes"])
        left_out.update(found["left_out"])
        slowest += [(seconds, test) for test, seconds in found["slowest"]]
    lines = ["The slowest tests, including their fixtures:"]
    lines += [f"{seconds:7.1f} s  {test}" for seconds, test in sorted(slowest, reverse=True)[:SLOWEST]]
    if left_out:
        lines.append("Left out; scripts/test --thorough runs them:")
        lines += [f"{count:5} {kind}: {KINDS[kind].why}" for kind, count in sorted(left_out.items())]
    lines.append(", ".join(f"{outcomes[name]} {name}" for name in ("passed", "failed", "skipped")))
    return "\n".join(lines)


if __name__ == "__main__":
    print(summary(Path(sys.argv[1])))
