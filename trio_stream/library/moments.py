"""Moments as the API and exports spell them, ISO 8601 in UTC as near as calendars come to them; and the present one."""

import time
from datetime import UTC, datetime

LATEST = int(datetime.max.replace(microsecond=0, tzinfo=UTC).timestamp())
"""Seconds since the epoch; file systems hold times that calendars do not."""


def moment(seconds: float) -> str:
    """A time in seconds since the epoch."""
    return datetime.fromtimestamp(min(max(seconds, 0), LATEST), UTC).isoformat()


def milliseconds(text: str) -> int:
    """Milliseconds since the epoch, of what `moment` spelt. Raises `ValueError` for what has no place in time."""
    found = datetime.fromisoformat(text)
    if found.tzinfo is None or found.timestamp() < 0:
        raise ValueError("a moment is in some time zone, and since 1970")
    return round(found.timestamp() * 1000)


def now() -> int:
    """The present moment, in milliseconds since the epoch."""
    return time.time_ns() // 1_000_000
