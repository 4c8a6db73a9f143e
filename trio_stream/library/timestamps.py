"""Timestamps as the API and exports write them: ISO 8601 in UTC, limited to what `datetime` can represent."""

import re
import time
from datetime import UTC, datetime, timedelta, timezone

LATEST = int(datetime.max.replace(microsecond=0, tzinfo=UTC).timestamp())
"""Seconds since the epoch. File systems can store later times than `datetime` can."""


def timestamp(seconds: float) -> str:
    """Format a time in seconds since the epoch."""
    return datetime.fromtimestamp(min(max(seconds, 0), LATEST), UTC).isoformat()


_DATE_TIME = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]+))?"
    r"(?:[Zz]|([+-])([01][0-9]|2[0-3]):([0-5][0-9]))"
)
"""RFC 3339 section 5.6, `date-time`."""


def milliseconds(text: str) -> int:
    """Parse an RFC 3339 `date-time` into milliseconds since the epoch; 0 for earlier times.

    A leap second counts as the second before it. Raises `ValueError` for anything else.
    """
    match = _DATE_TIME.fullmatch(text)
    if match is None:
        raise ValueError("a timestamp must be a date and time with a time zone, as in RFC 3339")
    year, month, day, hour, minute, second = (int(digits) for digits in match.groups()[:6])
    micro = int(f"{match[7] or '':0<6.6}")
    zone = timedelta(hours=int(match[9] or 0), minutes=int(match[10] or 0)) * (-1 if match[8] == "-" else 1)
    # RFC 3339 has a year 0, a leap year; Python has none. Year 4 stands in for it: both are long before the epoch.
    at = datetime(year or 4, month, day, hour, minute, 59 if second == 60 else second, micro, timezone(zone))
    return max(round(at.timestamp() * 1000), 0)


def now() -> int:
    """The current time in milliseconds since the epoch."""
    return time.time_ns() // 1_000_000
