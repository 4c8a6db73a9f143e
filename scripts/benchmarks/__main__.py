"""`scripts/bench`: the command line, and the order of the measurements."""

import argparse
import hashlib
import os
import shlex
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from . import (
    bodies,
    gather,
    leaving,
    library,
    machine,
    media,
    promises,
    report,
    scanning,
    segments,
    servers,
    viewers,
)
from .media import File

type Scenario = bodies.Scenario | viewers.Scenario

OTHERS = {
    "leaving": leaving.main,
    "library": library.main,
    "promises": promises.main,
    "scan": scanning.main,
    "segments": segments.main,
    "gather": gather.main,
}

QUICK_ROUNDS, ROUNDS = 2, 5
QUICK_SECONDS, SECONDS = 1.0, 3.0


def names(text: str) -> list[str]:
    return [name for name in text.split(",") if name]


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    scenarios: list[Scenario] = [*bodies.SCENARIOS, *viewers.SCENARIOS]
    parser = argparse.ArgumentParser(
        prog="scripts/bench",
        description="Measure servers side by side, in turn, and write a report with ratios to nginx.",
        epilog="`scripts/bench memoryview --help`, and so on for `leaving`, `promises`, `library`, `scan`, "
        "`segments` and `gather`, describes the other benches. "
        f"Servers: {', '.join(server.name for server in servers.SERVERS)}. "
        f"Scenarios: {', '.join(each.name for each in scenarios)}.",
    )
    add = parser.add_argument
    add("--quick", action="store_true", help="a first impression: two short rounds, 200 viewers")
    add("--rounds", type=int, metavar="N", help=f"default: {ROUNDS}")
    add("--only", type=names, metavar="NAMES", help="these servers, separated by commas")
    add("--scenarios", type=names, metavar="NAMES", help="these scenarios, separated by commas")
    report.add_out(parser)
    options = parser.parse_args(arguments)
    unknown = set(options.scenarios or ()) - {each.name for each in scenarios}
    if unknown:
        parser.error(
            f"--scenarios: no {', '.join(sorted(unknown))}; there are {', '.join(s.name for s in scenarios)}"
        )
    if options.rounds is not None and options.rounds < 1:
        parser.error("--rounds: at least 1")
    return options


def repeatable(arguments: Sequence[str]) -> list[str]:
    """The arguments for a command that repeats the run, without the folder of the report."""
    repeated, words = [], iter(arguments)
    for word in words:
        if word == "--out":
            next(words, None)
        elif not word.startswith("--out="):
            repeated.append(shlex.quote(word))
    return repeated


class Digests:
    """SHA-256 of parts of the files, each computed once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._digests: dict[tuple[str, int, int], str] = {}

    def __call__(self, file: File, start: int, end: int) -> str:
        key = (file.name, start, end)
        if key not in self._digests:
            with (self._folder / file.name).open("rb") as source:
                source.seek(start)
                self._digests[key] = hashlib.sha256(source.read(end - start)).hexdigest()
        return self._digests[key]


class Bench:
    """One run of all chosen servers and scenarios."""

    def __init__(self, options: argparse.Namespace, arguments: Sequence[str]) -> None:
        self._cpu, self._client_cpu = machine.two_cpus()
        self._seconds = QUICK_SECONDS if options.quick else SECONDS
        self._rounds: int = options.rounds or (QUICK_ROUNDS if options.quick else ROUNDS)
        self._folder = machine.CACHE / "videos"
        self._digests = Digests(self._folder)
        self._servers = servers.available(options.only)
        chosen = options.scenarios
        paced: list[viewers.Scenario] = [
            each.quick() if options.quick else each for each in viewers.SCENARIOS
        ]
        scenarios: list[Scenario] = [*bodies.SCENARIOS, *paced]
        self._scenarios = [each for each in scenarios if chosen is None or each.name in chosen]
        self.results = report.Results(
            machine=machine.describe(),
            versions=machine.versions(),
            options={
                "arguments": repeatable(arguments),
                "rounds": self._rounds,
                "seconds": self._seconds,
            },
            servers={server.name: server.about for server in self._servers},
            scenarios={each.name: each.title for each in self._scenarios},
        )

    def run(self) -> None:
        """Measure every scenario with each server in turn, in every round."""
        say("preparing the files")
        media.prepare(self._folder)
        os.sched_setaffinity(0, {self._client_cpu})
        machine.raise_open_files()
        for number in range(1, self._rounds + 1):
            for scenario in self._scenarios:
                for server in self._servers:
                    if server.name not in self.results.left_out.get(scenario.name, {}):
                        self._measure(number, scenario, server)

    def _measure(self, number: int, scenario: Scenario, server: servers.Server) -> None:
        say(f"round {number} of {self._rounds}: {scenario.name}, {server.name}")
        try:
            with servers.serving(server, self._folder, self._cpu) as running:
                servers.wait_settled(running)
                if isinstance(scenario, viewers.Scenario):
                    if number == 1:
                        bodies.verify(bodies.RANGES, running, self._digests)
                    figures = viewers.measure(scenario, running, self._cpu).as_dict()
                else:
                    if number == 1:
                        bodies.verify(scenario, running, self._digests)
                    figures = bodies.measure(scenario, running, self._cpu, self._seconds).as_dict()
        except (bodies.WrongResponseError, ConnectionError, TimeoutError) as error:
            say(f"    left out: {error}")
            self.results.left_out.setdefault(scenario.name, {})[server.name] = str(error)
        else:
            self.results.add(scenario.name, server.name, figures)


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def exit_on_signal(number: int, _frame: object) -> None:
    """Turn a signal into an exception, so that every server is stopped before the program exits."""
    raise SystemExit(128 + number)


def main(arguments: Sequence[str]) -> int:
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, exit_on_signal)
    try:
        if arguments and arguments[0] == "memoryview":
            from . import views  # noqa: PLC0415 - needs Trio, the rest does not

            return views.main(list(arguments[1:]))
        if arguments and (other := OTHERS.get(arguments[0])) is not None:
            return other(list(arguments[1:]))
        options = parse(arguments)
        bench = Bench(options, arguments)
        bench.run()
        report.write(bench.results, options.out)
        print(report.summary(bench.results))
    except machine.BenchError as error:
        say(f"bench: {error}")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
