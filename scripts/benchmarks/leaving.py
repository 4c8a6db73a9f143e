"""`scripts/bench leaving`: how soon everything of a client is gone when the server stops, it stalls, or it leaves."""

import argparse
import contextlib
import os
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from . import departures, machine, media, report, servers
from .bounds import Bound, about_machine, filled, own_versions, table, write
from .departures import ALIVE, IN_TURN, KINDS, OWN, RATE, THINGS
from .outside import BIG, PATIENCE, Outside, crowd, lasted, until

SLACK = 1.0  # seconds a stop may take beyond its grace, and letting go beyond the timeout
WAYS = {"sendfile": "1", "views": "0"}  # how files are sent, and TRIO_STREAM_ZERO_COPY
ESTABLISHED = "01"  # in /proc/net/tcp
MOST_MS = 20.0  # until all of a client is gone, at the 99th percentile


def stop(outside: Outside, clients: int, grace: float) -> dict[str, float]:
    """A: SIGTERM under clients that never read."""
    process = outside.running.process

    def over() -> bool:
        alive = (pid for pid in machine.group(process.pid) if machine.stat_fields(pid)[:1] != ["Z"])
        return process.poll() is not None and not any(alive)

    with crowd(outside, clients):
        until(lambda: outside.streams() == clients, f"{clients} streams")
        outside.hang_up()
        process.send_signal(signal.SIGTERM)
        seconds = lasted(over, grace + PATIENCE)
    return {"seconds": seconds, "exit_code": -1 if process.returncode is None else process.returncode}


def stall(outside: Outside, clients: int, timeout: float) -> dict[str, float]:
    """B: the same clients, left alone.

    Progress counts from the look before the one that showed it: the server is given no time that is not its own.
    """
    came = progress = looked = time.perf_counter()
    with crowd(outside, clients) as sockets:
        most = {sock.getsockname()[1]: 0 for sock in sockets}
        while looked - progress < timeout + PATIENCE:
            before, looked = looked, time.perf_counter()
            for end, size in taken(outside.running.port).items():
                if size > most.get(end, size):
                    most[end], progress = size, before
            if outside.ended("stalled") == clients and outside.empty():
                break
            time.sleep(0.02)
        gone = time.perf_counter() - progress
    return {"last_progress": progress - came, "gone_after": gone, "stalled": outside.ended("stalled")}


def taken(port: int) -> dict[int, int]:
    """Bytes the kernel took from the server on `port` and no client read, by the port of the client.

    Only of connections that nobody began to close: the end counts as a byte there.
    """
    found: Counter[int] = Counter()
    for line in Path("/proc/net/tcp").read_text("latin-1").splitlines()[1:]:
        _, local, remote, state, queues, *_ = line.split()
        if state != ESTABLISHED:
            continue
        ends = int(local[-4:], 16), int(remote[-4:], 16)
        sending, arrived = (int(queue, 16) for queue in queues.split(":"))
        if ends[0] == port:
            found[ends[1]] += sending
        elif ends[1] == port:
            found[ends[0]] += arrived
    return found


PAGE = """\
# Clients that leave, and the end of the server

How soon everything that serves a client is gone when the server stops, when the client stalls, and when the client
leaves. The server is `hypercorn trio_stream.app:app -k trio`, over loopback. `scripts/bench leaving` wrote
this page; all figures are in [leaving.json](leaving.json).

{bounds}

## What was done

- **A** {clients} clients request a file of 4 GiB and never read. When the server reports {clients} streams, it gets a
SIGTERM. It runs with `--graceful-timeout {grace:g}`. The time ends when the server and all its children have ended.

- **B** The same clients, with `TRIO_STREAM_SEND_TIMEOUT={timeout:g}` and no signal. Progress means that the kernel
took bytes for a client, as `/proc/net/tcp` shows. The last progress was {last_progress:.1f} s after the first client
came. The time counts from then until streams, open files, maps, descriptors and tasks are at their old numbers.
{stalled} streams ended as stalled.

- **C** {clients} clients, {alive} at a time. Each has a file of 32 MiB that no other client has, warm in the page
cache, so its descriptors go with the client, and so does its map if it has one. There is one run with `sendfile`, the
default, and one with `TRIO_STREAM_ZERO_COPY=0`, which sends views of a map. Each client reads about 5 Mb/s, and
{rate:g} clients per second leave, at random times. Half of them close with unread bytes, which resets the connection.
The other half have read everything, and send a FIN while the server sends more. From just before `close()` on, the
client's own entries in `/proc` are checked again and again: its socket and its file in `fd`, its map in `map_files`.
The server's log says when its stream ended. Finding the entries of a new client takes longer than one check, so new
clients come only while none is leaving.

- **C, tasks** Only the server's metrics show tasks. {in_turn} clients leave one at a time, while {alive} others are
stalled. The metrics are requested over HTTP until there are no more tasks than before. The figure includes the time of
the response.

## From close to gone, ms: p50 / p99 / max

*Everything* is, for each client, the last of the four above it. The connection's last task closes the socket and then
ends.

{ways}

## The machine

{machine}

## Repeat it

`{command}` wrote this page, in about a minute and a half. It exits with 1 when a limit is missed. Use a machine with
nothing else running, with two CPUs and 4 GiB for the page cache: work of other programs on the server's CPU goes
straight into these figures.
"""

WAY = """\
### {way}

{table}

During this run the server used {server_cpu_share:.0%} of its CPU, and other programs used {others_cpu_share:.0%} of
that CPU. The time between two checks was {between_looks[p50_ms]} ms (99th percentile {between_looks[p99_ms]} ms).
When the last client was gone, nothing was left of any client: {rest_seconds:.3f} s later all counts were back at
their old values."""


def bounds(found: dict[str, Any], options: argparse.Namespace) -> list[Bound]:
    stopped, count = found["stop"], options.clients
    grace, timeout, gone = options.graceful_timeout, options.send_timeout, found["stall"]["gone_after"]
    return [
        Bound(
            f"A: from SIGTERM to the end, {count} clients that never read",
            stopped["seconds"],
            grace + SLACK,
            "s",
        ),
        Bound("A: exit code", stopped["exit_code"], 0, ""),
        Bound(
            "B: from the last progress until nothing is left of the clients",
            gone,
            timeout + SLACK,
            "s",
            least=timeout,
        ),
    ] + [
        Bound(f"C: from close until {what} gone, p99, {way}", figures["p99_ms"], MOST_MS, "ms")
        for way, left in found["leave"].items()
        for what, figures in (("everything is", left["all"]["everything"]), ("tasks are", left["tasks"]))
    ]


def page(found: dict[str, Any], kept: Sequence[Bound], options: argparse.Namespace) -> str:
    def cell(spread: dict[str, float]) -> str:
        return " / ".join(f"{spread[name]:.1f}" for name in ("p50_ms", "p99_ms", "max_ms")) if spread else "-"

    def times(left: dict[str, Any]) -> str:
        rows = [[thing, *(cell(left[kind][thing]) for kind in KINDS)] for thing in (*THINGS, "everything")]
        return report.table(["", *KINDS], [*rows, ["tasks", cell(left["tasks"]), "", ""]])

    text = PAGE.format(
        bounds=table(kept),
        ways="\n\n".join(
            WAY.format(way=way, table=times(left), **left) for way, left in found["leave"].items()
        ),
        machine=about_machine(found, "The server has"),
        clients=options.clients,
        grace=options.graceful_timeout,
        timeout=options.send_timeout,
        alive=ALIVE,
        rate=RATE,
        in_turn=IN_TURN,
        command="scripts/bench leaving "
        f"--clients {options.clients} --graceful-timeout {options.graceful_timeout:g} "
        f"--send-timeout {options.send_timeout:g}",
        **{name: found["stall"][name] for name in ("last_progress", "stalled")},
    )
    return filled(text)


def measure(options: argparse.Namespace, folder: Path, cpu: int) -> dict[str, Any]:
    """All three, each with a server of its own."""
    for file in (BIG, *OWN):
        with (folder / file.name).open("wb") as made:
            made.truncate(file.size)

    @contextlib.contextmanager
    def outside(*arguments: str, **environment: str) -> Iterator[Outside]:
        environment |= {"TRIO_STREAM_LOG_LEVEL": "info", "TRIO_STREAM_LOG_FORMAT": "json"}
        kind = servers.Server("trio-stream", "trio-stream", "", "/api/stream/{name}", environment, arguments)
        with servers.serving(kind, folder, cpu) as running:
            yield Outside(running, folder)

    found: dict[str, Any] = {}
    print("A: the server stops", file=sys.stderr, flush=True)
    with outside("--graceful-timeout", f"{options.graceful_timeout:g}") as server:
        found["stop"] = stop(server, options.clients, options.graceful_timeout)
    print("B: clients stall", file=sys.stderr, flush=True)
    with outside(TRIO_STREAM_SEND_TIMEOUT=f"{options.send_timeout:g}") as server:
        found["stall"] = stall(server, options.clients, options.send_timeout)
    print("C: clients leave", file=sys.stderr, flush=True)
    for file in OWN:
        media.warm(folder / file.name)
    found["leave"] = {}
    for way, zero_copy in WAYS.items():
        with outside(TRIO_STREAM_ZERO_COPY=zero_copy) as server:
            mapped = way == "views"
            found["leave"][way] = departures.measure(server, options.clients, cpu, mapped=mapped)
    return found


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="scripts/bench leaving", description=__doc__)
    add = parser.add_argument
    add("--clients", type=int, default=1000, metavar="N", help="in each of the three parts; 1000")
    add("--graceful-timeout", type=float, default=5.0, metavar="G", help="seconds; 5")
    add("--send-timeout", type=float, default=5.0, metavar="T", help="seconds; 5")
    report.add_out(parser)
    options = parser.parse_args(arguments)
    (cpu, client_cpu), facts, versions = machine.two_cpus(), machine.facts(), machine.versions()
    os.sched_setaffinity(0, {client_cpu})
    machine.raise_open_files()
    with tempfile.TemporaryDirectory(prefix="leaving-", dir=machine.CACHE) as made:
        found = measure(options, Path(made), cpu)
    found["machine"] = facts
    found["versions"] = own_versions(versions)
    kept = bounds(found, options)
    return write(options.out, "leaving", found, page(found, kept, options), kept)
