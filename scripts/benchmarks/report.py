"""Writes results.json, README.md and a chart from the figures."""

import argparse
import importlib
import json
import statistics
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from . import bodies, machine, servers, viewers

BASE = "nginx"
OWN = "trio-stream"


@dataclass(slots=True)
class Results:
    """`rounds[scenario][server]` has the figures of each round in which this pair was measured."""

    machine: Mapping[str, object]
    versions: Mapping[str, str]
    options: Mapping[str, object]
    servers: Mapping[str, str]
    scenarios: Mapping[str, str]
    rounds: dict[str, dict[str, list[dict[str, float]]]] = field(default_factory=dict)
    left_out: dict[str, dict[str, str]] = field(default_factory=dict)

    def add(self, scenario: str, server: str, figures: dict[str, float]) -> None:
        self.rounds.setdefault(scenario, {}).setdefault(server, []).append(figures)

    def median(self, scenario: str, server: str, figure: str) -> float | None:
        found = [each[figure] for each in self.rounds.get(scenario, {}).get(server, [])]
        return statistics.median(found) if found else None

    def ratio(self, scenario: str, server: str, figure: str) -> float | None:
        """The median of the ratios to nginx in the same round, which cancels out other work of the machine."""
        measured = self.rounds.get(scenario, {})
        pairs = zip(measured.get(server, []), measured.get(BASE, []), strict=False)
        found = [mine[figure] / other[figure] for mine, other in pairs if other[figure]]
        return statistics.median(found) if found else None

    def as_dict(self) -> dict[str, Any]:
        figures = {
            scenario: {
                server: {
                    name: {
                        "median": rounded(self.median(scenario, server, name)),
                        "to_nginx": rounded(self.ratio(scenario, server, name)),
                        "rounds": [rounded(each[name]) for each in rounds],
                    }
                    for name in rounds[0]
                }
                for server, rounds in measured.items()
            }
            for scenario, measured in self.rounds.items()
        }
        return {
            "machine": self.machine,
            "versions": self.versions,
            "options": self.options,
            "servers": self.servers,
            "scenarios": self.scenarios,
            "figures": figures,
            "left_out": self.left_out,
        }


def rounded(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.4g}")


def format_value(value: float | None, digits: int = 3) -> str:
    """Format a figure for readers, with three significant digits and thousands separators."""
    if value is None:
        return "-"
    if abs(value) >= 10 ** (digits - 1):
        return f"{value:,.0f}"
    text = f"{value:.{digits}g}"
    return text if "e" not in text else f"{value:.4f}"


def format_ratio(value: float | None) -> str:
    return "" if value is None else f" ({value:.2f}x)" if value < 10 else f" ({value:.0f}x)"


def table(head: Sequence[str], rows: Sequence[Sequence[str]], *, text: bool = False) -> str:
    rule = ["---", *["---" if text else "---:"] * (len(head) - 1)]
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, rule, *rows))


INTRODUCTION = """\
# Benchmarks

This page compares Trio Stream with other servers: the same files, the same client and the same machine, one server
after the other in one run. **Read the ratios, not the absolute figures.** The time for one gigabyte depends on the
processor, on the kernel and on what else the machine did in that hour. The ratio of the CPU times of two servers,
measured within minutes of each other, is similar on other machines. nginx is the yardstick (1x). It is written in C
and leaves the copying to the kernel. `scripts/bench` wrote this page; all figures of all rounds are in
[results.json](results.json).
"""

HOW_TO_READ = """\
## How to read this

- Each server is pinned to one CPU, and the client to another. All traffic goes over loopback, so no network is
  involved or measured. The kernel does part of the work for the receiving side on the server's CPU, and it is counted
  there, for all servers alike.
- The congestion control of the kernel matters too. BBR paces its packets with timers, over loopback as well. On a
  virtual machine, these timers are more than half of the cost of large bodies. A server that fills the socket meets
  more of them than a server that sends little at a time. With CUBIC, the default of Linux, sending costs every server
  a fraction of that, and the server's own work for each request weighs more.
- The client discards every body in the kernel (`MSG_TRUNC`). Before the timed runs, one response of each server in
  each scenario is compared with the file: status, length and SHA-256.
- *CPU seconds per GB* is the user and system time of all processes of the server, divided by the bytes of all bodies
  (1 GB is 10⁹ bytes). Compare this figure: it shows how many viewers a core can serve, and it hardly depends on other
  programs on the machine. Throughput and first bytes do depend on them.
- The files contain random bytes and were read before the run. All files except the 4 GB file stay in the page cache.
  The system may drop pages of that file during the run, as virtual machines do. Then a range of it also costs disk
  time. nginx waits for the disk in its only thread; Trio Stream waits in other threads, which are counted. In the
  names of scenarios, KB and MB are 1,024 and 1,048,576 bytes.
- Figures are medians over the rounds. A ratio is the median of the ratios to nginx in the same round.
- *Private memory* is the peak of RssAnon of all processes of the server: their own memory, without the page cache and
  without socket buffers of the kernel.
- *Paced viewers* each start at a random place of the 4 GB file and take data like a player: {ahead:g} s of film at
  once, then the next part every {tick:g} s, with a receive buffer {window}. A *late second*
  is a second in which a viewer had nothing to play. Playback starts when {prebuffer:g} s of film have arrived. The
  first two seconds after arrival do not count. *CPU share* is the share of one core, from the first arrival to the end.
  Servers that send ahead into the kernel's buffers do most of their work at the beginning.
- results.json also has the share of its CPU that the client used (`client_cpu_share`); near 1, the client would be
  the limit. It also has what other programs took from the server's CPU (`others_cpu_share`); near 0, the machine was
  quiet. This figure includes the kernel's own work (ksoftirqd), which counts for no server.
"""


def cells(results: Results, scenarios: Sequence[str], figure: str, *, ratio: bool) -> list[list[str]]:
    return [
        [
            f"**{name}**" if name == OWN else name,
            *(
                format_value(results.median(scenario, name, figure))
                + (format_ratio(results.ratio(scenario, name, figure)) if ratio and name != BASE else "")
                for scenario in scenarios
            ),
        ]
        for name in results.servers
    ]


def body_sections(results: Results) -> list[str]:
    names = [each.name for each in bodies.SCENARIOS if each.name in results.rounds]
    if not names:
        return []
    parts = ["## Whole bodies and ranges", "", *(f"- **{n}**: {results.scenarios[n]}" for n in names), ""]
    if any(name in names for name in CHARTED):
        parts += ["![CPU time per GB compared with nginx](cpu-per-gb.png)", ""]
    for title, figure, ratio in (
        ("CPU seconds per GB, and the ratio to nginx; less is better", "cpu_s_per_gb", True),
        ("GB per second on one core; more is better", "gb_per_s", False),
        ("Requests per second", "requests_per_s", False),
        ("CPU microseconds per request", "cpu_us_per_request", False),
        ("First byte of the body, median, ms", "first_byte_p50_ms", False),
        ("First byte of the body, 99th percentile, ms", "first_byte_p99_ms", False),
        ("Peak of private memory, MB", "private_mb_peak", False),
    ):
        parts += [f"### {title}", "", table(["", *names], cells(results, names, figure, ratio=ratio)), ""]
    return parts


PACED = {
    "late_seconds": "late seconds",
    "late_viewers": "viewers with late seconds",
    "unanswered": "no response",
    "lost": "refused or lost",
    "first_byte_p50_ms": "first byte p50, ms",
    "first_byte_p99_ms": "first byte p99, ms",
    "cpu_share": "CPU share of a core",
    "private_kb_per_viewer": "private KB per viewer",
    "gb_per_s": "GB/s received",
}


def paced_sections(results: Results) -> list[str]:
    names = [each.name for each in viewers.SCENARIOS if each.name in results.rounds]
    parts = ["## Paced viewers", ""] if names else []
    for name in names:
        columns = [cells(results, [name], figure, ratio=figure == "cpu_share") for figure in PACED]
        rows = [[row[0], *(column[index][1] for column in columns)] for index, row in enumerate(columns[0])]
        parts += [f"### {results.scenarios[name]}", "", table(["", *PACED.values()], rows), ""]
    return parts


def page(results: Results) -> str:
    info = results.machine
    versions = ", ".join(f"{name} {version}" for name, version in results.versions.items())
    command = " ".join(["scripts/bench", *map(str, results.options["arguments"])])  # type: ignore[call-overload]
    virtual = ", a virtual machine" if info["virtual"] else ""
    parts = [
        INTRODUCTION,
        "## Servers",
        "",
        *(f"- **{name}**: {about}" for name, about in results.servers.items()),
        "",
        wrapped(servers.NOT_MEASURED),
        "",
        *body_sections(results),
        *paced_sections(results),
    ]
    if results.left_out:
        parts += ["## Left out", ""]
        for scenario, reasons in results.left_out.items():
            parts += [f"- {server} in {scenario}: {reason}" for server, reason in reasons.items()]
        parts.append("")
    parts += [
        HOW_TO_READ.format(
            tick=viewers.TICK, ahead=viewers.AHEAD, prebuffer=viewers.PREBUFFER, window=viewers.WINDOW_ABOUT
        ),
        "## The machine",
        "",
        wrapped(
            f"{info['cpu']}, {info['cpus']} CPUs{virtual}; {info['memory_gib']} GiB; {info['system']}, "
            f"{info['congestion_control']}; {info['date']}; load average before the run {info['load_before']}."
        ),
        "",
        wrapped(f"Versions: {versions}."),
        "",
        "## Repeat it",
        "",
        f"`{command}` wrote this page, in {results.options['rounds']} rounds. Use a machine with nothing else running,",
        "with two CPUs, about 10 GB of disk and as much memory for the page cache. The other servers are pinned with",
        "hashes in `scripts/benchmarks/requirements.txt`. Their code is in `scripts/benchmarks/peers` and",
        "`scripts/benchmarks/servers.py`.",
    ]
    return "\n".join(parts) + "\n"


CHARTED = ("256KB", "4MB", "256MB", "ranges")
COLOURS = {OWN: "#1565c0", f"{OWN}-plain": "#64a4e0", BASE: "#2e7d32"}


def wrapped(text: str, indent: str = "") -> str:
    return textwrap.fill(text, 116, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def draw_chart(results: Results, path: Path) -> None:
    """Draw one panel of bars for each size of body, in multiples of nginx."""
    names = [name for name in CHARTED if results.median(name, BASE, "cpu_s_per_gb") is not None]
    if not names:
        return
    figure, panels = axes(
        1, len(names), (3.4 * len(names) + 1.2, 0.42 * len(results.servers) + 1.7), sharey=True
    )
    order = list(results.servers)
    for panel, name in zip(panels, names, strict=True):
        measured = [server for server in order if results.ratio(name, server, "cpu_s_per_gb") is not None]
        widths = [results.ratio(name, server, "cpu_s_per_gb") or 0.0 for server in measured]
        places = [order.index(server) for server in measured]
        panel.barh(places, widths, color=[COLOURS.get(server, "#b0bec5") for server in measured], height=0.7)
        for place, width, server in zip(places, widths, measured, strict=True):
            seconds = format_value(results.median(name, server, "cpu_s_per_gb"), 2)
            panel.text(width, place, f" {width:.1f}x ({seconds} s)", va="center", fontsize=8, color="#333333")
        panel.axvline(1, color="#2e7d32", linewidth=0.8, linestyle=":")
        panel.set_title({"ranges": "4 MB ranges of 4 GB"}.get(name, f"{name} bodies"), fontsize=10)
        panel.set_xlim(0, max(widths) * 1.45)
        panel.set_yticks(range(len(order)), order, fontsize=9)
        panel.tick_params(axis="x", labelsize=8)
        panel.spines[["top", "right"]].set_visible(False)
    panels[0].invert_yaxis()
    figure.suptitle(
        "CPU time per GB, in multiples of nginx (in brackets: CPU seconds per GB); less is better",
        fontsize=11,
    )
    save(figure, path)


def axes(
    rows: int, columns: int, size: tuple[float, float], *, sharey: bool = False
) -> tuple[Any, list[Any]]:
    """Create a figure with panels, without a screen."""
    importlib.import_module("matplotlib").use("Agg")
    pyplot: Any = importlib.import_module("matplotlib.pyplot")
    figure, panels = pyplot.subplots(
        rows, columns, figsize=size, sharey=sharey, squeeze=False, facecolor="white"
    )
    return figure, list(panels.flat)


def save(figure: Any, path: Path) -> None:
    figure.tight_layout()
    figure.savefig(path, dpi=130, facecolor="white", metadata={"Software": None})
    importlib.import_module("matplotlib.pyplot").close(figure)


def add_out(parser: argparse.ArgumentParser) -> None:
    """Add the argument that every bench has: the folder of its report."""
    folder = machine.REPO / "docs" / "benchmarks"
    parser.add_argument("--out", type=Path, default=folder, metavar="FOLDER", help="docs/benchmarks")


def write(results: Results, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "results.json").write_text(json.dumps(results.as_dict(), indent=1) + "\n", "utf-8")
    (folder / "README.md").write_text(page(results), "utf-8")
    draw_chart(results, folder / "cpu-per-gb.png")


def summary(results: Results) -> str:
    """The results as text for the terminal."""
    lines = []
    for scenario in results.rounds:
        paced = any(each.name == scenario for each in viewers.SCENARIOS)
        for server in results.rounds[scenario]:
            figure = "cpu_share" if paced else "cpu_s_per_gb"
            value = format_value(results.median(scenario, server, figure)) + format_ratio(
                results.ratio(scenario, server, figure)
            )
            late = f"  late {format_value(results.median(scenario, server, 'late_seconds'))}" if paced else ""
            unit = "of a core" if paced else "CPU s/GB"
            lines.append(f"{scenario:12} {server:18} {value:>20} {unit}{late}")
    return "\n".join(lines)
