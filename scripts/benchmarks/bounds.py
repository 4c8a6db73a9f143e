"""Bounds for figures, and what the reports with bounds have in common."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from . import machine, report


class Bound(NamedTuple):
    """A figure and its limits."""

    what: str
    value: float
    most: float
    unit: str
    least: float = 0

    def is_kept(self) -> bool:
        return self.least <= self.value <= self.most

    def row(self) -> list[str]:
        formatted = [f"{value:.3g} {self.unit}".strip() for value in (self.value, self.most)]
        return [self.what, *formatted, "kept" if self.is_kept() else "**missed**"]


def table(bounds: Sequence[Bound]) -> str:
    return report.table(["", "measured", "at most", ""], [bound.row() for bound in bounds], text=True)


def own_versions(versions: Mapping[str, str]) -> dict[str, str]:
    """The versions of the server and of the libraries that it uses."""
    return {name: versions[name] for name in ("python", "trio-stream", *machine.OWN_PACKAGES)}


def about_machine(found: Mapping[str, Any], servers: str) -> str:
    """A description of the machine; `servers` is "The server has" or "The servers have"."""
    info = found["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in found["versions"].items())
    return (
        f"{info['cpu']}, {info['cpus']} CPUs{', a virtual machine' if info['virtual'] else ''}; "
        f"{info['memory_gib']} GiB; {info['system']}; {info['date']}; load average before the run "
        f"{info['load_before']}. {servers} one CPU, and the clients have another. Versions: {versions}."
    )


def filled(text: str) -> str:
    """A page with its prose wrapped, and its headings and tables as they are."""
    paragraphs = [
        part if part[0] in "#|" else report.wrapped(" ".join(part.split()), "  " if part[0] == "-" else "")
        for part in text.split("\n\n")
    ]
    return "\n\n".join(paragraphs) + "\n"


def write(folder: Path, name: str, found: Mapping[str, Any], page: str, bounds: Sequence[Bound]) -> int:
    """Write the figures and their page into `folder`, print which bounds were kept, and return the exit code."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    (folder / f"{name}.md").write_text(page, "utf-8")
    for bound in bounds:
        print(*bound.row(), sep="  ")
    return 0 if all(bound.is_kept() for bound in bounds) else 1
