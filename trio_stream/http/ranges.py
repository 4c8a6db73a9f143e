"""Parsing of `Range`: which bytes of a representation a request wants.

Invariant: the result is cheap to compute and cheap to serve for any value of the field. Every byte range is inside the
representation and not empty, they ascend, the gap between two is larger than the overhead of a body part, and there are
at most `MAX_RANGES` of them.
"""

import re
from collections.abc import Iterable

from trio_stream.byte_ranges import ByteRange
from trio_stream.errors import RangeNotSatisfiable

MAX_FIELD = 8192
"""Characters of a `Range` field; a longer one is ignored."""

MAX_SPECS = 200
"""Elements that a range set may have."""

MAX_RANGES = 32
"""Separate ranges that one response may have. Each costs a seek in the file and a body part."""

PART_OVERHEAD = 128
"""Bytes of a body part besides its data. A smaller gap is cheaper to send than to skip."""

# RFC 9110 section 14.1.1; the unit is a case-insensitive token (section 14.1), here always "bytes".
#   ranges-specifier = range-unit "=" range-set
#   range-set        = 1#range-spec
_BYTES = re.compile(r"bytes=", re.ASCII | re.IGNORECASE)

# RFC 9110 sections 14.1.1 and 14.1.2. An other-range has no meaning for bytes, so it is malformed here.
#   range-spec   = int-range / suffix-range / other-range
#   int-range    = first-pos "-" [ last-pos ]
#   suffix-range = "-" suffix-length
#   first-pos, last-pos, suffix-length = 1*DIGIT
_SPEC = re.compile(r"(?P<first>[0-9]+)-(?P<last>[0-9]*)|-(?P<suffix>[0-9]+)")

# Larger than any possible file (2**63 bytes). Numbers are limited to it before `int` converts them: a number of a few
# thousand digits is legal in the grammar, but its conversion takes quadratic time and then raises ValueError.
_BEYOND = 10**19


def select_ranges(range_field: str | None, size: int) -> tuple[ByteRange, ...] | None:
    """Resolve the value of a `Range` field against a representation of `size` bytes (RFC 9110 section 14.2).

    None means that there is no usable `Range`, so the whole representation must be sent: the field is missing, has
    another unit, is malformed or too long, or the representation is empty. No Content-Range can describe an empty
    representation, so the server uses its right to ignore the field.

    Otherwise one or more byte ranges in ascending order: overlapping and nearly adjacent ones are merged (section
    15.3.7.2), unsatisfiable ones are dropped.

    Raises RangeNotSatisfiable if no range is satisfiable, or if the set is excessive (section 15.5.17).
    """
    if range_field is None or size == 0 or len(range_field) > MAX_FIELD:
        return None
    specs = _parse(range_field)
    if specs is None:
        return None
    if len(specs) > MAX_SPECS:
        raise RangeNotSatisfiable(size)
    resolved = (_resolve(first, last, size) for first, last in specs)
    ranges = _coalesce((offset, length) for offset, length in resolved if length > 0)
    if not 0 < len(ranges) <= MAX_RANGES:
        raise RangeNotSatisfiable(size)
    return ranges


def _parse(range_field: str) -> list[tuple[int | None, int | None]] | None:
    """The (first-pos, last-pos) of each element, (None, suffix-length) for a suffix; None when malformed."""
    value = range_field.strip(" \t")
    unit = _BYTES.match(value)
    if unit is None:
        return None
    specs: list[tuple[int | None, int | None]] = []
    for element in value[unit.end() :].split(","):
        text = element.strip(" \t")
        if not text:
            continue  # section 5.6.1.2: empty elements are skipped; MAX_FIELD bounds their number
        spec = _SPEC.fullmatch(text)
        if spec is None:
            return None
        if spec["suffix"]:
            specs.append((None, _number(spec["suffix"])))
            continue
        first, last = _number(spec["first"]), _number(spec["last"]) if spec["last"] else None
        if last is not None and last < first:
            return None  # section 14.1.2: such an int-range is invalid, not only unsatisfiable
        specs.append((first, last))
    return specs or None  # 1#range-spec: at least one


def _number(digits: str) -> int:
    significant = digits.lstrip("0")
    return _BEYOND if len(significant) > 19 else int(significant or "0")


def _resolve(first: int | None, last: int | None, size: int) -> ByteRange:
    """The bytes of one element; the length is zero or less if it is unsatisfiable (section 14.1.2)."""
    if first is None:
        length = min(last or 0, size)
        return size - length, length
    return first, (size if last is None else min(last + 1, size)) - first


def _coalesce(ranges: Iterable[ByteRange]) -> tuple[ByteRange, ...]:
    merged: list[ByteRange] = []
    end = 0
    for offset, length in sorted(ranges):
        if merged and offset - end < PART_OVERHEAD:
            begin, _ = merged.pop()
            end = max(end, offset + length)
        else:
            begin, end = offset, offset + length
        merged.append((begin, end - begin))
    return tuple(merged)
