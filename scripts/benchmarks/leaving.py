"""`scripts/bench leaving`: how soon all of a client is gone when the server stops, or the client stalls or leaves."""

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
from .departures import ALIVE, KINDS, OWN, RATE, TASK_CLIENTS, THINGS
from .observed import BIG, TIMEOUT, ObservedServer, crowd, seconds_until, wait_until

SLACK = 1.0  # seconds that a stop may take beyond its grace period, and a stalled client beyond the timeout
WAYS = {"sendfile": "1", "views": "0"}  # how files are sent, and TRIO_STREAM_ZERO_COPY
ESTABLISHED = "01"  # in /proc/net/tcp
MAX_MS = 20.0  # until everything of a client is gone, at the 99th percentile


def stop(server: ObservedServer, clients: int, grace: float) -> dict[str, float]:
    """A: stop the server with SIGTERM while clients never read."""
    process = server.running.process

    def has_ended() -> bool:
        alive = (pid for pid in machine.group(process.pid) if machine.stat_fields(pid)[:1] != ["Z"])
        return process.poll() is not None and not any(alive)

    with crowd(server, clients):
        wait_until(lambda: server.streams() == clients, f"{clients} streams")
        server.hang_up()
        process.send_signal(signal.SIGTERM)
        seconds = seconds_until(has_ended, grace + TIMEOUT)
    return {"seconds": seconds, "exit_code": -1 if process.returncode is None else process.returncode}


def stall(server: ObservedServer, clients: int, timeout: float) -> dict[str, float]:
    """B: let the same clients stall.

    Progress counts from the check before the one that showed it, so the server gets no extra time.
    """
    came = progress = checked_at = time.perf_counter()
    with crowd(server, clients) as sockets:
        largest = {sock.getsockname()[1]: 0 for sock in sockets}
        while checked_at - progress < timeout + TIMEOUT:
            before, checked_at = checked_at, time.perf_counter()
            for end, size in unread_bytes(server.running.port).items():
                if size > largest.get(end, size):
                    largest[end], progress = size, before
            if server.ended("stalled") == clients and server.is_empty():
                break
            time.sleep(0.02)
        gone_after = time.perf_counter() - progress
    return {"last_progress": progress - came, "gone_after": gone_after, "stalled": server.ended("stalled")}


def unread_bytes(port: int) -> dict[int, int]:
    """Bytes that the kernel took from the server on `port` and that no client read, by the client's port.

    Only established connections count: while a connection is closing, its FIN counts as a byte.
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


def bounds_of(found: dict[str, Any], options: argparse.Namespace) -> list[Bound]:
    stopped, count = found["stop"], options.clients
    grace, timeout, gone_after = options.graceful_timeout, options.send_timeout, found["stall"]["gone_after"]
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
            gone_after,
            timeout + SLACK,
            "s",
            least=timeout,
        ),
    ] + [
        Bound(f"C: from close until {what} gone, p99, {way}", figures["p99_ms"], MAX_MS, "ms")
        for way, left in found["leave"].items()
        for what, figures in (("everything is", left["all"]["everything"]), ("tasks are", left["tasks"]))
    ]


def page(found: dict[str, Any], bounds: Sequence[Bound], options: argparse.Namespace) -> str:
    def cell(spread: dict[str, float]) -> str:
        return " / ".join(f"{spread[name]:.1f}" for name in ("p50_ms", "p99_ms", "max_ms")) if spread else "-"

    def times(left: dict[str, Any]) -> str:
        rows = [[thing, *(cell(left[kind][thing]) for kind in KINDS)] for thing in (*THINGS, "everything")]
        return report.table(["", *KINDS], [*rows, ["tasks", cell(left["tasks"]), "", ""]])

    text = PAGE.format(
        bounds=table(bounds),
        ways="\n\n".join(
            WAY.format(way=way, table=times(left), **left) for way, left in found["leave"].items()
        ),
        machine=about_machine(found, "The server has"),
        clients=options.clients,
        grace=options.graceful_timeout,
        timeout=options.send_timeout,
        alive=ALIVE,
        rate=RATE,
        in_turn=TASK_CLIENTS,
        command="scripts/bench leaving "
        f"--clients {options.clients} --graceful-timeout {options.graceful_timeout:g} "
        f"--send-timeout {options.send_timeout:g}",
        **{name: found["stall"][name] for name in ("last_progress", "stalled")},
    )
    return filled(text)


def measure(options: argparse.Namespace, folder: Path, cpu: int) -> dict[str, Any]:
    """Measure all three, each with its own server."""
    for file in (BIG, *OWN):
        with (folder / file.name).open("wb") as new:
            new.truncate(file.size)

    @contextlib.contextmanager
    def observed(*arguments: str, **environment: str) -> Iterator[ObservedServer]:
        environment |= {"TRIO_STREAM_LOG_LEVEL": "info", "TRIO_STREAM_LOG_FORMAT": "json"}
        kind = servers.Server("trio-stream", "trio-stream", "", "/api/stream/{name}", environment, arguments)
        with servers.serving(kind, folder, cpu) as running:
            yield ObservedServer(running, folder)

    found: dict[str, Any] = {}
    print("A: the server stops", file=sys.stderr, flush=True)
    with observed("--graceful-timeout", f"{options.graceful_timeout:g}") as server:
        found["stop"] = stop(server, options.clients, options.graceful_timeout)
    print("B: clients stall", file=sys.stderr, flush=True)
    with observed(TRIO_STREAM_SEND_TIMEOUT=f"{options.send_timeout:g}") as server:
        found["stall"] = stall(server, options.clients, options.send_timeout)
    print("C: clients leave", file=sys.stderr, flush=True)
    for file in OWN:
        media.warm(folder / file.name)
    found["leave"] = {}
    for way, zero_copy in WAYS.items():
        with observed(TRIO_STREAM_ZERO_COPY=zero_copy) as server:
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
    (cpu, client_cpu), info, versions = machine.two_cpus(), machine.describe(), machine.versions()
    os.sched_setaffinity(0, {client_cpu})
    machine.raise_open_files()
    with tempfile.TemporaryDirectory(prefix="leaving-", dir=machine.CACHE) as work:
        found = measure(options, Path(work), cpu)
    found["machine"] = info
    found["versions"] = own_versions(versions)
    checked = bounds_of(found, options)
    return write(options.out, "leaving", found, page(found, checked, options), checked)
