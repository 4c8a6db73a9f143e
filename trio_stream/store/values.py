"""Column types that accept any value from a file or a request and store the nearest one that the database can hold.

Invariant: neither SQLite nor PostgreSQL rejects a value bound to these columns. File systems can hold times after the
year 2262, which do not fit into 64 bits in nanoseconds. Text can contain NUL, which PostgreSQL cannot store, and lone
surrogates, which have no UTF-8 form. Durations are computed from what files claim.
"""

import math
import re
from typing import Any

from sqlalchemy import BigInteger, Dialect, Double, Integer, Text, TypeDecorator

_UNFIT = re.compile("[\0\ud800-\udfff]")


class _ClampedInteger(TypeDecorator[int]):
    """A signed integer of `bits` bits."""

    bits: int
    cache_ok = True

    def process_bind_param(self, value: int | None, dialect: Dialect) -> int | None:
        if value is None:
            return None
        limit = 1 << (self.bits - 1)
        return max(-limit, min(value, limit - 1))


class ClampedBigInteger(_ClampedInteger):
    """A signed 64-bit integer."""

    impl = BigInteger
    bits = 64
    cache_ok = True


class ClampedInteger(_ClampedInteger):
    """A signed 32-bit integer."""

    impl = Integer
    bits = 32
    cache_ok = True


class SafeText(TypeDecorator[str]):
    """Text; characters that the database cannot store become U+FFFD."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return value and _UNFIT.sub("\ufffd", value)

    def coerce_compared_value(self, op: Any, value: Any) -> Any:
        return self


class FiniteSeconds(TypeDecorator[float]):
    """A duration; NaN and infinity become 0, which means unknown."""

    impl = Double
    cache_ok = True

    def process_bind_param(self, value: float | None, dialect: Dialect) -> float | None:
        return 0.0 if value is not None and not math.isfinite(value) else value
