"""`scripts/profile`: a flame graph and a memory profile of the server under a load of the bench.

The memory profile needs memray inside the server. Its folder comes last in the module path, so that no package of the
bench's environment replaces one of the server's.
"""

import argparse
import os
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from . import bodies, machine, media, servers, viewers
from .__main__ import Scenario, exit_on_signal, say
from .servers import Running, Server

TOOLS = Path(sys.executable).parent
TIMEOUT = 120.0  # seconds for a tool to write its report


def load(scenario: Scenario, running: Running, seconds: float) -> None:
    """Put a load of the bench on the server for `seconds`."""
    if isinstance(scenario, viewers.Scenario):
        arrive = min(scenario.arrive, seconds / 2)
        viewers.measure(replace(scenario, arrive=arrive, hold=seconds - arrive), running, 0)
    else:
        requests = bodies.requests_of(scenario, running)
        bodies.Load(running.port, scenario.connections, requests).run(seconds, bodies.Figures())


def profile_cpu(server: Server, scenario: Scenario, seconds: float, out: Path, *, native: bool) -> None:
    """Run py-spy on the CPU of the client, so that it takes nothing from the server."""
    cpu, client_cpu = machine.two_cpus()
    graph = out / "flame.svg"
    with servers.serving(server, machine.CACHE / "videos", cpu) as running:
        servers.wait_settled(running)
        command = [
            str(TOOLS / "py-spy"),
            "record",
            "--pid",
            str(running.leader),
            "--subprocesses",
            "--output",
            str(graph),
        ]
        command += ["--rate", "200", "--duration", str(round(seconds))]
        command += ["--native"] if native else []
        os.sched_setaffinity(0, {client_cpu})
        spy = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        try:
            load(scenario, running, seconds + 1)
            output, _ = spy.communicate(timeout=TIMEOUT)
        finally:
            os.sched_setaffinity(0, {cpu, client_cpu})
            if spy.poll() is None:
                spy.kill()
                spy.wait()
    if spy.returncode:
        raise machine.BenchError(f"py-spy failed:\n{output}")
    say(f"wrote {graph.relative_to(machine.REPO)}")


def profile_memory(server: Server, scenario: Scenario, seconds: float, out: Path) -> None:
    """Run the server in memray, in one process, and write memray's reports."""
    cpu, client_cpu = machine.two_cpus()
    record = out / "memory.bin"
    record.unlink(missing_ok=True)
    inside = replace(server, kind="memray", environment=server.environment | {"BENCH_RECORD": str(record)})
    os.sched_setaffinity(0, {client_cpu})
    try:
        with servers.serving(inside, machine.CACHE / "videos", cpu) as running:
            servers.wait_settled(running)
            load(scenario, running, seconds)
    finally:
        os.sched_setaffinity(0, {cpu, client_cpu})
    memray = [str(machine.own_python()), "-c", servers.MEMRAY_RUNNER, sysconfig.get_path("platlib")]
    page = out / "memory.html"
    subprocess.run(
        [*memray, "flamegraph", "--force", "--output", str(page), str(record)],
        check=True,
        capture_output=True,
    )
    stats = subprocess.run([*memray, "stats", str(record)], check=True, capture_output=True, text=True).stdout
    summary = subprocess.run(
        [*memray, "summary", str(record)], check=True, capture_output=True, text=True
    ).stdout
    (out / "memory.txt").write_text(f"{stats}\n{summary}", "utf-8")
    record.unlink()
    say(f"wrote {page.relative_to(machine.REPO)} and memory.txt")


def main(arguments: Sequence[str]) -> int:
    scenarios = {each.name: each for each in (*bodies.SCENARIOS, *viewers.SCENARIOS)}
    parser = argparse.ArgumentParser(
        prog="scripts/profile", description="Where the server's time and memory go."
    )
    add = parser.add_argument
    add(
        "--scenario",
        choices=scenarios,
        default="ranges",
        metavar="NAME",
        help=f"one of {', '.join(scenarios)}; ranges",
    )
    add(
        "--server",
        choices=[s.name for s in servers.SERVERS if s.kind == "trio-stream"],
        default="trio-stream",
        metavar="NAME",
    )
    add("--seconds", type=float, default=15.0, metavar="S", help="of load, for each profile; 15")
    add("--native", action="store_true", help="show functions in C in the flame graph too")
    add("--flame", action=argparse.BooleanOptionalAction, default=True, help="the flame graph")
    add("--memory", action=argparse.BooleanOptionalAction, default=True, help="the memory profile")
    options = parser.parse_args(arguments)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, exit_on_signal)
    out = machine.REPO / ".cache" / "profile"
    out.mkdir(parents=True, exist_ok=True)
    try:
        scenario = scenarios[options.scenario]
        for server in servers.available([options.server]):
            media.prepare(machine.CACHE / "videos")
            machine.raise_open_files()
            if options.flame:
                profile_cpu(server, scenario, options.seconds, out, native=options.native)
            if options.memory:
                profile_memory(server, scenario, options.seconds, out)
    except machine.BenchError as error:
        say(f"profile: {error}")
        return 2
    except subprocess.CalledProcessError as error:
        say(f"profile: {error}\n{error.stderr}")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
