"""Columns that take any value of a file or a request: it is moved to the nearest one that a database can hold.

Invariant: nothing that is bound to one of these is refused for its value alone, on SQLite or on PostgreSQL. File
systems hold times past the year 2262, which in nanoseconds are more than 64 bits. Texts hold NUL, which PostgreSQL has
no place for, and halves of surrogate pairs, which have no UTF-8 form. Durations are computed from what files claim.
"""

import math
import re
from typing import Any

from sqlalchemy import BigInteger, Dialect, Double, Integer, Text, TypeDecorator

_UNFIT = re.compile("[\0\ud800-\udfff]")


class _Whole(TypeDecorator[int]):
    """A whole number of so many bits, with a sign."""

    bits: int
    cache_ok = True

    def process_bind_param(self, value: int | None, dialect: Dialect) -> int | None:
        if value is None:
            return None
        most = 1 << (self.bits - 1)
        return max(-most, min(value, most - 1))


class Whole(_Whole):
    """A whole number of 64 bits."""

    impl = BigInteger
    bits = 64
    cache_ok = True


class Small(_Whole):
    """A whole number of 32 bits."""

    impl = Integer
    bits = 32
    cache_ok = True


class Words(TypeDecorator[str]):
    """Text; U+FFFD stands for what no text of a database can hold."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return value and _UNFIT.sub("\ufffd", value)

    def coerce_compared_value(self, op: Any, value: Any) -> Any:
        return self


class Seconds(TypeDecorator[float]):
    """A length of time; one that is no number, or has no end, is 0: nobody knows it."""

    impl = Double
    cache_ok = True

    def process_bind_param(self, value: float | None, dialect: Dialect) -> float | None:
        return 0.0 if value is not None and not math.isfinite(value) else value
