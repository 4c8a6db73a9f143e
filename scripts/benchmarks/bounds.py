"""Bounds that figures are held to, and what the reports that have some have in common."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from . import machine, report


class Bound(NamedTuple):
    """A figure and what is wanted of it."""

    what: str
    value: float
    most: float
    unit: str
    least: float = 0

    def kept(self) -> bool:
        return self.least <= self.value <= self.most

    def row(self) -> list[str]:
        shown = [f"{value:.3g} {self.unit}".strip() for value in (self.value, self.most)]
        return [self.what, *shown, "kept" if self.kept() else "**missed**"]


def table(bounds: Sequence[Bound]) -> str:
    return report.table(["", "measured", "at most", ""], [bound.row() for bound in bounds], text=True)


def own_versions(versions: Mapping[str, str]) -> dict[str, str]:
    """Of the server and what it stands on."""
    return {name: versions[name] for name in ("python", "trio-stream", *machine.OWN_PACKAGES)}


def about_machine(found: Mapping[str, Any], servers: str) -> str:
    """What the figures were measured on; `servers` is "The server has" or "The servers have"."""
    facts = found["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in found["versions"].items())
    return (
        f"{facts['cpu']}, {facts['cpus']} CPUs{', a virtual machine' if facts['virtual'] else ''}; "
        f"{facts['memory_gib']} GiB; {facts['system']}; {facts['date']}; load average before the run "
        f"{facts['load_before']}. {servers} one CPU, and the clients have another. Versions: {versions}."
    )


def filled(text: str) -> str:
    """A page with its prose wrapped, and its headings and tables as they are."""
    paragraphs = [
        part if part[0] in "#|" else report.wrapped(" ".join(part.split()), "  " if part[0] == "-" else "")
        for part in text.split("\n\n")
    ]
    return "\n\n".join(paragraphs) + "\n"


def write(folder: Path, name: str, found: Mapping[str, Any], page: str, bounds: Sequence[Bound]) -> int:
    """The figures and the page about them, into `folder`; says what was kept, and answers the exit code."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    (folder / f"{name}.md").write_text(page, "utf-8")
    for bound in bounds:
        print(*bound.row(), sep="  ")
    return 0 if all(bound.kept() for bound in bounds) else 1
