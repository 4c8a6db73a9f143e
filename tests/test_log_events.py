"""The table of log events in `docs/operations.md` is that of the code: all warnings and errors, and nothing else."""

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]

LEVELS = ("debug", "info", "warning", "error", "exception")
DOCUMENTED = frozenset({"warning", "error", "exception"})
"""Levels whose events people look up. Others may be in the table."""


def events(source: str) -> set[tuple[str, str]]:
    """The level and the text of each event that a module logs."""
    return {
        (node.func.attr, node.args[0].value)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in LEVELS
        and node.args
        and isinstance(node.args[0], ast.Constant)
        and isinstance(node.args[0].value, str)
    }


@cache
def _logged() -> frozenset[tuple[str, str]]:
    modules = (path for path in (ROOT / "trio_stream").rglob("*.py") if "node_modules" not in path.parts)
    return frozenset().union(*(events(path.read_text()) for path in modules))


def _table() -> list[tuple[str, str]]:
    """The level and the text of each event in the table. A text may end in "…"."""
    text = (ROOT / "docs" / "operations.md").read_text()
    _, _, after = text.partition("| `event` | Level | Meaning |\n| --- | --- | --- |\n")
    rows = [row.split(" | ") for row in after.partition("\n\n")[0].splitlines()]
    return [(row[1], event) for row in rows for event in re.findall(r"`([^`]+)`", row[0])]


def _is(documented: str, event: str) -> bool:
    return event.startswith(documented[:-1]) if documented.endswith("…") else event == documented


def test_every_warning_and_error_is_in_the_table() -> None:
    logged = {event for level, event in _logged() if level in DOCUMENTED}
    assert len(logged) > 20
    missing = {event for event in logged if not any(_is(documented, event) for _, documented in _table())}
    assert sorted(missing) == []


def test_every_event_in_the_table_is_logged_with_its_level() -> None:
    logged = {("error" if level == "exception" else level, event) for level, event in _logged()}
    table = _table()
    assert len(table) > 20
    assert [
        (level, documented)
        for level, documented in table
        if not any(level == each and _is(documented, event) for each, event in logged)
    ] == []


def test_events_are_found_in_the_code() -> None:
    source = "log.warning('a', b=1)\nlog.bind(c=2).error('d')\nlog.info(text)\nprint('e')"
    assert events(source) == {("warning", "a"), ("error", "d")}
