"""Logs: one line per event on standard error, tested in a separate process."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

SETUP = """
import sys, structlog
from pathlib import Path
from trio_stream.telemetry import logs

logs.configure(sys.argv[1], sys.argv[2])
log = structlog.get_logger("anything")
"""

EACH_LEVEL = (
    SETUP + "for level in ('debug', 'info', 'warning', 'error'): getattr(log, level)(f'of level {level}')"
)

AN_EXCEPTION = (
    SETUP
    + """
def fails(secret):
    raise ValueError("no such luck")

try:
    fails("hunter2")
except ValueError:
    log.exception("it failed", service="sampler")
log.error("it failed again", exc_info=ValueError("given"))
"""
)

VALUES = (
    SETUP
    + r"""
log.info("stream ended", name="a b=\"c\".mp4", bytes=123, seconds=0.5, path=Path("/srv"), none=None, yes=True)
log.info("stream ended", name="new\nline\r.mp4")
log.info("stream ended", name="\udcff.mp4")
log.info("stream ended", name="日本 🎬.mp4", list=["x"])
"""
)


def log_of(program: str, style: str, level: str = "info") -> str:
    """Return what `program` logs."""
    finished = subprocess.run(
        [sys.executable, "-c", program, style, level], capture_output=True, timeout=30, check=False
    )
    logged = finished.stderr.decode("utf-8")
    assert (finished.returncode, finished.stdout) == (0, b""), logged
    return logged


def events(text: str) -> list[dict[str, Any]]:
    """Parse the lines of `text`, which are JSON."""
    return [json.loads(line) for line in text.split("\n") if line]


@pytest.mark.parametrize("style", ["console", "json"])
@pytest.mark.parametrize("level", ["debug", "info", "warning", "error"])
def test_events_below_the_level_are_omitted(style: str, level: str) -> None:
    levels = ["debug", "info", "warning", "error"]
    lines = log_of(EACH_LEVEL, style, level).splitlines()
    expected = levels[levels.index(level) :]
    assert len(lines) == len(expected)
    for line, name in zip(lines, expected, strict=True):
        assert f"of level {name}" in line


def test_json_is_one_object_per_line() -> None:
    before = datetime.now(UTC)
    first, second, third, fourth = events(log_of(VALUES, "json"))
    assert before <= datetime.fromisoformat(first.pop("timestamp")) <= datetime.now(UTC)
    assert first == {
        "event": "stream ended",
        "level": "info",
        "name": 'a b="c".mp4',
        "bytes": 123,
        "seconds": 0.5,
        "path": "/srv",
        "none": None,
        "yes": True,
    }
    assert second["name"] == "new\nline\r.mp4"
    assert third["name"] == "\udcff.mp4"
    assert fourth["name"] == "日本 🎬.mp4"
    assert datetime.fromisoformat(fourth["timestamp"]).utcoffset() == timedelta(0)


def test_json_contains_the_exception() -> None:
    first, second = events(log_of(AN_EXCEPTION, "json"))
    assert (first["event"], first["level"], first["service"]) == ("it failed", "error", "sampler")
    assert first["exception"].startswith("Traceback (most recent call last):\n")
    assert first["exception"].endswith("ValueError: no such luck")
    assert second["exception"] == "ValueError: given"
    assert "hunter2" not in json.dumps(first), "no local variables"


def test_the_console_format_is_readable() -> None:
    lines = log_of(VALUES, "console").split("\n")
    assert lines.pop() == ""
    assert len(lines) == 4, "one line per event, even if it contains line ends"
    assert not any("\x1b" in line for line in lines), "no colours without a terminal"
    for line in lines:
        timestamp, level = line.split(" ")[0], line[line.index("[") : line.index("]") + 1]
        assert abs(datetime.fromisoformat(timestamp).astimezone() - datetime.now(UTC)) < timedelta(minutes=1)
        assert level.strip("[ ]") == "info"
        assert "stream ended" in line
    for word in ("""name='a b="c".mp4'""", "bytes=123", "seconds=0.5", "none=None", "yes=True"):
        assert word in lines[0]
    assert r"name='new\nline\r.mp4'" in lines[1]
    assert "日本 🎬.mp4" in lines[3]


def test_the_console_shows_the_exception_plainly() -> None:
    text = log_of(AN_EXCEPTION, "console")
    assert "service=sampler" in text.splitlines()[0]
    assert text.splitlines()[1] == "Traceback (most recent call last):"
    assert "\nValueError: no such luck\n" in text
    assert "\nValueError: given\n" in text
    assert "hunter2" not in text, "no local variables"


OFTEN = (
    SETUP
    + """
for number in range(100):
    log.warning("refused", number=number, often=True)
    log.error("failed", number=number, exc_info=ValueError() if number % 2 else KeyError(), often=True)
logs.INTERVAL = 0
log.warning("refused", number=100, often=True)
log.warning("refused", number=101, often=True)
log.warning("not frequent")
"""
)


def test_frequent_events_are_logged_rarely() -> None:
    logged = [
        (event["event"], event.get("number"), event.get("left_out"))
        for event in events(log_of(OFTEN, "json"))
    ]
    assert logged == [
        ("refused", 0, None),
        ("failed", 0, None),
        ("failed", 1, None),
        ("refused", 100, 99),
        ("refused", 101, None),
        ("not frequent", None, None),
    ]
