"""Conditional requests (RFC 9110 section 13).

Invariant: if a condition is malformed or its validator is weak, the outcome may cost a transfer, but never
correctness.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum, auto

from trio_stream.http.fields import EntityTag, parse_date, parse_entity_tags, strong_match, weak_match


@dataclass(frozen=True, slots=True)
class Validators:
    """The validators of a representation, which identify its current state.

    `etag` is a strong entity-tag with its quotes, `modified` is in whole seconds since the epoch, or None if it is
    unknown: then conditions about dates are ignored (RFC 9110 sections 13.1.3 and 13.1.4).
    """

    etag: str
    modified: int | None


class Verdict(Enum):
    """The outcome of a conditional request."""

    PROCEED = auto()
    NOT_MODIFIED = auto()  # respond with 304
    FAILED = auto()  # respond with 412


def evaluate(method: str, fields: Mapping[str, str], validators: Validators, *, now: int) -> Verdict:
    """Evaluate the preconditions of a request for an existing representation (RFC 9110 section 13.2.2).

    `fields` maps lower-case names to values, repeated lines joined by ", "; `now` is in seconds since the
    epoch. `If-Range` is not one of them, see `range_applies`.
    """
    is_read = method in {"GET", "HEAD"}
    tag, modified = _current_tag(validators), validators.modified

    if (if_match := fields.get("if-match")) is not None:  # steps 1 and 2
        if not _names(if_match, tag, strong_match):
            return Verdict.FAILED
    elif (
        modified is not None
        and (date := _date(fields, "if-unmodified-since", now)) is not None
        and modified > date
    ):
        return Verdict.FAILED

    if (if_none_match := fields.get("if-none-match")) is not None:  # step 3
        if _names(if_none_match, tag, weak_match):
            return Verdict.NOT_MODIFIED if is_read else Verdict.FAILED
    elif (
        is_read
        and modified is not None
        and (date := _date(fields, "if-modified-since", now)) is not None
        and modified <= date
    ):
        # Step 4. A date in the future counts like any other: RFC 2616 called it invalid, but section 13.1.3 dropped
        # that and says only that it is compared with our clock.
        return Verdict.NOT_MODIFIED

    return Verdict.PROCEED


def requires_entity_tag(fields: Mapping[str, str]) -> bool:
    """Whether `If-Match` names entity-tags, which a resource without one cannot match (RFC 9110 section 13.1.1)."""
    value = fields.get("if-match")
    return value is not None and parse_entity_tags(value) != "*"


def range_applies(fields: Mapping[str, str], validators: Validators, *, now: int) -> bool:
    """Whether `If-Range` lets the `Range` of a request apply (RFC 9110 section 13.1.5); True without one.

    A false match would let a client join parts of two different files, so the comparison is strong. A weak entity-tag
    never matches. A date matches only if it is equal and its second is over (section 8.8.2.2), because within that
    second the file may have changed again.
    """
    value = fields.get("if-range")
    if value is None:
        return True
    #   If-Range = entity-tag / HTTP-date
    # An entity-tag has a DQUOTE among its first three characters.
    if '"' in value[:3]:
        match parse_entity_tags(value):
            case (tag,):
                return strong_match(_current_tag(validators), tag)
            case _:
                return False
    return validators.modified is not None and parse_date(value, now=now) == validators.modified < now


def _current_tag(validators: Validators) -> EntityTag:
    return EntityTag(validators.etag[1:-1], weak=False)


def _names(value: str, tag: EntityTag, match: Callable[[EntityTag, EntityTag], bool]) -> bool:
    """Whether the value of `If-Match` or `If-None-Match` names the current representation.

    A malformed value names nothing. So a malformed `If-Match` fails, because its sender wanted to be protected from an
    unexpected file, and a malformed `If-None-Match` proceeds, because a full response is always correct.
    """
    tags = parse_entity_tags(value)
    if tags is None:
        return False
    return tags == "*" or any(match(tag, other) for other in tags)


def _date(fields: Mapping[str, str], name: str, now: int) -> int | None:
    """A field that must be ignored unless it is one valid HTTP-date (sections 13.1.3 and 13.1.4)."""
    value = fields.get(name)
    return None if value is None else parse_date(value, now=now)
