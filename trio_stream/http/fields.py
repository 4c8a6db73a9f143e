"""Field values that occur in more than one header: dates, entity-tags, file names.

Invariant: a parser accepts exactly its grammar, returns None for anything else, never raises, and takes time linear in
the length of its input. A formatter emits printable ASCII for any input.
"""

import re
import time
from calendar import monthrange, timegm
from dataclasses import dataclass
from email.utils import formatdate
from functools import lru_cache
from typing import Literal
from urllib.parse import quote

type Headers = tuple[tuple[str, str], ...]
"""Header fields of a response, as names and values, in the order they are sent."""

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

_DAY_NAME = f"(?:{'|'.join(day[:3] for day in _DAYS)})"
_DAY_NAME_L = f"(?:{'|'.join(_DAYS)})"
_MONTH = f"(?P<month>{'|'.join(_MONTHS)})"
_TIME_OF_DAY = "(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2}):(?P<second>[0-9]{2})"

# RFC 9110 section 5.6.7. An HTTP-date is case-sensitive; only the first form is ever generated.
#   HTTP-date    = IMF-fixdate / rfc850-date / asctime-date
#   IMF-fixdate  = day-name "," SP day SP month SP year SP time-of-day SP GMT
#   rfc850-date  = day-name-l "," SP day "-" month "-" 2DIGIT SP time-of-day SP GMT
#   asctime-date = day-name SP month SP ( 2DIGIT / ( SP 1DIGIT )) SP time-of-day SP year
_DATE_FORMS = (
    re.compile(rf"{_DAY_NAME}, (?P<day>[0-9]{{2}}) {_MONTH} (?P<year>[0-9]{{4}}) {_TIME_OF_DAY} GMT"),
    re.compile(rf"{_DAY_NAME_L}, (?P<day>[0-9]{{2}})-{_MONTH}-(?P<year>[0-9]{{2}}) {_TIME_OF_DAY} GMT"),
    re.compile(rf"{_DAY_NAME} {_MONTH} (?P<day>[0-9]{{2}}| [0-9]) {_TIME_OF_DAY} (?P<year>[0-9]{{4}})"),
)

# RFC 9110 section 8.8.3. If-Match and If-None-Match are "*" or #entity-tag. Empty list elements are legal
# (section 5.6.1.2) and a comma inside an opaque-tag is not a separator, so elements are matched one by one.
#   entity-tag = [ %s"W/" ] opaque-tag
#   opaque-tag = DQUOTE *etagc DQUOTE
#   etagc      = %x21 / %x23-7E / obs-text
# The possessive quantifier prevents backtracking over every division of a long run of blanks between two quantifiers.
_ELEMENT = re.compile(r'[ \t]*+(?:(?P<weak>W/)?"(?P<opaque>[\x21\x23-\x7E\x80-\xFF]*)")?[ \t]*(?:,|\Z)')

_FIRST_SECOND = timegm((1, 1, 1, 0, 0, 0))
_LAST_SECOND = timegm((9999, 12, 31, 23, 59, 59))

# RFC 8187 section 3.2.1, the characters that need no encoding in an ext-value (`quote` adds ALPHA and DIGIT).
#   attr-char = ALPHA / DIGIT / "!" / "#" / "$" / "&" / "+" / "-" / "." / "^" / "_" / "`" / "|" / "~"
_ATTR_CHARS = "!#$&+-.^_`|~"

# Characters that the plain `filename` must not have: those that are not printable ASCII, those that need a backslash in
# a quoted-string (RFC 9110 section 5.6.4), and those that, as RFC 6266 appendix D and section 4.3 warn, recipients
# decode or interpret as a path.
_NOT_PLAIN = re.compile(r'[^\x20-\x7E]|["\\%/]')
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class EntityTag:
    """An entity-tag: the text between the quotes, and whether `W/` precedes them."""

    opaque: str
    weak: bool


@lru_cache(maxsize=1024)
def format_date(epoch_seconds: int) -> str:
    """Format whole seconds since the epoch as an IMF-fixdate (RFC 9110 section 5.6.7).

    Its year has four digits, so a time outside the years 1 to 9999, which a file system can store, becomes the nearest
    time inside.
    """
    return formatdate(max(_FIRST_SECOND, min(epoch_seconds, _LAST_SECOND)), usegmt=True)


def parse_date(value: str, *, now: int) -> int | None:
    """Parse an HTTP-date to seconds since the epoch; None if it is malformed (RFC 9110 section 5.6.7).

    `now`, in seconds since the epoch, determines the century of an RFC 850 date. Whether the name of the day matches
    the date is not checked: it adds nothing, and with a wrong century it would not match either.
    """
    for form in _DATE_FORMS:
        if match := form.fullmatch(value):
            break
    else:
        return None
    month, day = _MONTHS.index(match["month"]) + 1, int(match["day"])
    clock = (int(match["hour"]), int(match["minute"]), int(match["second"]))
    if not (clock[0] <= 23 and clock[1] <= 59 and clock[2] <= 59) and clock != (23, 59, 60):
        return None
    year = int(match["year"])
    if len(match["year"]) == 2:
        year = _full_year(year, (month, day, *clock), now)
    if year == 0 or not 1 <= day <= monthrange(year, month)[1]:
        return None
    return timegm((year, month, day, *clock))


def _full_year(two_digits: int, rest: tuple[int, int, int, int, int], now: int) -> int:
    """The latest year with these two digits that puts the date at most fifty years into the future."""
    today = time.gmtime(now)
    horizon = (today.tm_year + 50, *today[1:6])
    year = horizon[0] // 100 * 100 + two_digits
    return year if (year, *rest) <= horizon else year - 100


def parse_entity_tags(value: str) -> tuple[EntityTag, ...] | Literal["*"] | None:
    """Parse the value of `If-Match` or `If-None-Match`: "*", or the tags of a list; None if it is malformed.

    An empty list is well-formed (RFC 9110 sections 8.8.3, 13.1.1 and 13.1.2).
    """
    if value.strip(" \t") == "*":
        return "*"
    tags: list[EntityTag] = []
    position = 0
    while position < len(value):
        element = _ELEMENT.match(value, position)
        if element is None:
            return None
        if element["opaque"] is not None:
            tags.append(EntityTag(element["opaque"], weak=element["weak"] is not None))
        position = element.end()
    return tuple(tags)


def strong_match(one: EntityTag, other: EntityTag) -> bool:
    """Strong comparison: equal, and neither is weak (RFC 9110 section 8.8.3.2)."""
    return one == other and not one.weak


def weak_match(one: EntityTag, other: EntityTag) -> bool:
    """Weak comparison: equal opaque-tags (RFC 9110 section 8.8.3.2)."""
    return one.opaque == other.opaque


def content_disposition(filename: str) -> str:
    """A Content-Disposition that saves the content as `filename` (RFC 6266 section 4, RFC 8187 section 3.2).

    The name is given twice: in plain ASCII with "_" for other characters, and in full in UTF-8, which every recipient
    that supports it prefers. A lone surrogate (a byte of a name that is not UTF-8) cannot be encoded as UTF-8 and
    becomes U+FFFD.
    """
    plain = _NOT_PLAIN.sub("_", filename)
    encoded = quote(_SURROGATE.sub("\ufffd", filename), safe=_ATTR_CHARS)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}"
