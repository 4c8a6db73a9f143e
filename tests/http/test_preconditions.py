"""Conditional requests, as tables in the order of RFC 9110 section 13.2.2."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_stream.http.fields import format_date
from trio_stream.http.preconditions import Validators, Verdict, evaluate, range_applies

MODIFIED = 1_700_000_000
NOW = MODIFIED + 3600
VALIDATORS = Validators(etag='"now"', modified=MODIFIED)

EARLIER, SAME, LATER, FUTURE = (
    format_date(seconds) for seconds in (MODIFIED - 1, MODIFIED, MODIFIED + 1, NOW + 86400)
)
SAME_RFC850 = "Tuesday, 14-Nov-23 22:13:20 GMT"

PROCEED, NOT_MODIFIED, FAILED = Verdict.PROCEED, Verdict.NOT_MODIFIED, Verdict.FAILED

# Conditions                                                          GET/HEAD      DELETE
TABLE: list[tuple[dict[str, str], Verdict, Verdict]] = [
    ({}, PROCEED, PROCEED),
    # step 1: If-Match, strong comparison
    ({"if-match": '"now"'}, PROCEED, PROCEED),
    ({"if-match": '"old", "now"'}, PROCEED, PROCEED),
    ({"if-match": "*"}, PROCEED, PROCEED),
    ({"if-match": '"old"'}, FAILED, FAILED),
    ({"if-match": 'W/"now"'}, FAILED, FAILED),
    ({"if-match": "now"}, FAILED, FAILED),  # malformed
    ({"if-match": '"now", x'}, FAILED, FAILED),  # malformed
    ({"if-match": ""}, FAILED, FAILED),
    # step 2: If-Unmodified-Since, only without If-Match
    ({"if-unmodified-since": SAME}, PROCEED, PROCEED),
    ({"if-unmodified-since": SAME_RFC850}, PROCEED, PROCEED),
    ({"if-unmodified-since": LATER}, PROCEED, PROCEED),
    ({"if-unmodified-since": EARLIER}, FAILED, FAILED),
    ({"if-unmodified-since": "yesterday"}, PROCEED, PROCEED),
    ({"if-unmodified-since": f"{EARLIER}, {EARLIER}"}, PROCEED, PROCEED),
    ({"if-match": '"now"', "if-unmodified-since": EARLIER}, PROCEED, PROCEED),
    ({"if-match": '"old"', "if-unmodified-since": SAME}, FAILED, FAILED),
    # step 3: If-None-Match, weak comparison
    ({"if-none-match": '"now"'}, NOT_MODIFIED, FAILED),
    ({"if-none-match": 'W/"now"'}, NOT_MODIFIED, FAILED),
    ({"if-none-match": '"old", W/"now"'}, NOT_MODIFIED, FAILED),
    ({"if-none-match": "*"}, NOT_MODIFIED, FAILED),
    ({"if-none-match": '"old"'}, PROCEED, PROCEED),
    ({"if-none-match": '"now", x'}, PROCEED, PROCEED),  # malformed
    ({"if-none-match": ""}, PROCEED, PROCEED),
    # step 4: If-Modified-Since, only without If-None-Match, only to read
    ({"if-modified-since": SAME}, NOT_MODIFIED, PROCEED),
    ({"if-modified-since": SAME_RFC850}, NOT_MODIFIED, PROCEED),
    ({"if-modified-since": LATER}, NOT_MODIFIED, PROCEED),
    ({"if-modified-since": FUTURE}, NOT_MODIFIED, PROCEED),
    ({"if-modified-since": EARLIER}, PROCEED, PROCEED),
    ({"if-modified-since": "yesterday"}, PROCEED, PROCEED),
    ({"if-modified-since": f"{SAME}, {SAME}"}, PROCEED, PROCEED),
    ({"if-none-match": '"old"', "if-modified-since": SAME}, PROCEED, PROCEED),
    ({"if-none-match": "junk", "if-modified-since": SAME}, PROCEED, PROCEED),
    ({"if-none-match": '"now"', "if-modified-since": EARLIER}, NOT_MODIFIED, FAILED),
    # steps 1 and 2 come before 3 and 4
    ({"if-match": '"old"', "if-none-match": '"now"'}, FAILED, FAILED),
    ({"if-match": '"now"', "if-none-match": '"now"'}, NOT_MODIFIED, FAILED),
    ({"if-match": '"now"', "if-modified-since": SAME}, NOT_MODIFIED, PROCEED),
    ({"if-unmodified-since": EARLIER, "if-none-match": '"now"'}, FAILED, FAILED),
    ({"if-unmodified-since": SAME, "if-modified-since": SAME}, NOT_MODIFIED, PROCEED),
    # step 5, If-Range, is not one of them
    ({"if-range": '"old"', "range": "bytes=0-1"}, PROCEED, PROCEED),
]


@pytest.mark.parametrize(("fields", "reading", "deleting"), TABLE)
def test_order_of_preconditions(fields: dict[str, str], reading: Verdict, deleting: Verdict) -> None:
    assert evaluate("GET", fields, VALIDATORS, now=NOW) is reading
    assert evaluate("HEAD", fields, VALIDATORS, now=NOW) is reading
    assert evaluate("DELETE", fields, VALIDATORS, now=NOW) is deleting


@pytest.mark.parametrize(
    ("value", "applies"),
    [
        (None, True),
        ('"now"', True),
        ('"old"', False),
        ('W/"now"', False),
        ('"now", "old"', False),
        ("*", False),
        ('"now', False),
        ("now", False),
        ("", False),
        (SAME, True),
        (SAME_RFC850, True),
        (EARLIER, False),
        (LATER, False),  # it must be equal, not only not older
        (f"{SAME}, {SAME}", False),
    ],
)
def test_if_range(value: str | None, applies: bool) -> None:
    fields = {} if value is None else {"if-range": value}
    assert range_applies(fields, VALIDATORS, now=NOW) is applies


@pytest.mark.parametrize(("now", "applies"), [(MODIFIED - 1, False), (MODIFIED, False), (MODIFIED + 1, True)])
def test_a_date_is_strong_once_its_second_is_over(now: int, applies: bool) -> None:
    assert range_applies({"if-range": SAME}, VALIDATORS, now=now) is applies


conditions = st.dictionaries(
    st.sampled_from(["if-match", "if-none-match", "if-modified-since", "if-unmodified-since", "if-range"]),
    st.one_of(st.text(), st.sampled_from(["*", '"now"', 'W/"now"', SAME, EARLIER])),
)


@given(fields=conditions, method=st.sampled_from(["GET", "HEAD", "DELETE", "POST"]))
def test_any_text_has_a_verdict_that_fits_the_method(fields: dict[str, str], method: str) -> None:
    verdict = evaluate(method, fields, VALIDATORS, now=NOW)
    assert verdict is not NOT_MODIFIED or method in {"GET", "HEAD"}
    # Only the fields of steps 1 and 2 can fail a request that reads.
    assert (
        verdict is not FAILED
        or method not in {"GET", "HEAD"}
        or {"if-match", "if-unmodified-since"} & set(fields)
    )
    # A range applies only if If-Range has our quoted tag or our date.
    applies = range_applies(fields, VALIDATORS, now=NOW)
    assert applies == (fields.get("if-range") in {None, '"now"', SAME})
