"""Logs: one line per event on standard error, for people (`console`) or programs (`json`)."""

import logging
import re
import sys
import time
from collections.abc import MutableMapping
from math import inf
from typing import Any, Literal

import structlog

INTERVAL = 5.0
"""Seconds in which a frequent event is logged once."""


def configure(style: Literal["console", "json"], level: str) -> None:
    """Set up logging for the whole process."""
    processors: list[structlog.typing.Processor] = [
        RateLimit(),
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=style == "json"),
        structlog.processors.StackInfoRenderer(),
    ]
    if style == "json":
        processors += [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(default=str)]
    else:
        processors.append(_printable)
        # Plain, because formatting every local variable of a traceback can take seconds on the event loop.
        plain = structlog.dev.plain_traceback
        processors += [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain)]
    structlog.configure(
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,
    )


class RateLimit:
    """Logs events with the flag `often` at most once in `INTERVAL` seconds. The next one has the number `left_out`.

    These are events that clients can cause as often as they like. Events are grouped by their text and the class of
    their error, if any, so the number of groups is limited by the code.
    """

    def __init__(self) -> None:
        self._kinds: dict[tuple[str, str], tuple[float, int]] = {}

    def __call__(
        self, _logger: object, _method: str, event: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        """Return the event, or drop it."""
        if not event.pop("often", False):
            return event
        now, kind = time.monotonic(), (event["event"], type(event.get("exc_info")).__name__)
        last, left_out = self._kinds.get(kind, (-inf, 0))
        if now - last < INTERVAL:
            self._kinds[kind] = last, left_out + 1
            raise structlog.DropEvent
        self._kinds[kind] = now, 0
        if left_out:
            event["left_out"] = left_out
        return event


_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
"""Control characters, which a terminal might act on. The renderer escapes line ends and tabs itself."""


def _printable(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Escape control characters, which file names may contain, instead of sending them to a terminal."""
    return {key: _escaped(value) if isinstance(value, str) else value for key, value in event.items()}


def _escaped(text: str) -> str:
    return _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text)
