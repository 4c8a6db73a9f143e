"""The answer to a GET or HEAD for a file, decided before a byte of it is read.

Invariant: GET and HEAD with the same fields, `Range` aside, have the same status and headers; what
Content-Length says is what the parts add up to.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from trio_stream.byte_ranges import ByteRange, ByteRanges
from trio_stream.errors import PreconditionFailed
from trio_stream.http.bodies import Part, body_length, content_range, multipart_byteranges, slice_parts
from trio_stream.http.fields import Headers, content_disposition, format_date
from trio_stream.http.preconditions import Validators, Verdict, evaluate, range_applies
from trio_stream.http.ranges import select_ranges

ASK_FIRST = "no-cache"
"""The URL names something that may change: a cache may keep what it has but must ask first."""

FOR_EVER = "public, max-age=31536000, immutable"
"""The URL stands for these bytes and no others (RFC 8246)."""


@dataclass(frozen=True, slots=True)
class Representation:
    """A file as HTTP sees it: `size` in bytes, `filename` the name a download is saved under.

    Or what is at hand, or made while it is sent: then `parts` are all of it, `size` bytes together.

    Where a URL has several representations, `vary` names the request fields that choose one, and `coding` is the
    content coding of this one (RFC 9110 sections 12.5.5 and 8.4). Its size, ranges and validators are those of the
    coded bytes.
    """

    size: int
    validators: Validators
    media_type: str
    filename: str = ""
    caching: str = ASK_FIRST
    parts: tuple[Part, ...] | None = None
    vary: str | None = None
    coding: str | None = None

    def cut(self, wanted: ByteRange) -> tuple[Part, ...]:
        """The parts that are a byte range of it."""
        if self.parts is None:
            return (ByteRanges((wanted,)),)
        return slice_parts(self.parts, wanted)


@dataclass(frozen=True, slots=True)
class FileResponse:
    """A response: headers in the order they are sent, and the body as parts; no parts, no content."""

    status: int
    headers: Headers
    parts: tuple[Part, ...]


def respond(
    method: str,
    fields: Mapping[str, str],
    representation: Representation,
    *,
    now: int,
    boundary: Callable[[], str],
    download: bool = False,
) -> FileResponse:
    """Answer a GET or HEAD: 200, 206 or 304.

    `fields` maps lower-case names to values, repeated lines joined by ", "; `now` is in seconds since the
    epoch; `boundary` makes one for a multipart body, see `multipart_byteranges`; `download` asks browsers to save
    the content rather than to show it.

    Raises PreconditionFailed and RangeNotSatisfiable, the answers 412 and 416 (RFC 9110 sections 15.5.13 and
    15.5.17), which are not ours to render.
    """
    validators, size = representation.validators, representation.size
    modified, vary = validators.modified, representation.vary
    current = (
        ("ETag", validators.etag),
        # Section 8.8.2.1: never later than the time of the message.
        *((("Last-Modified", format_date(min(modified, now))),) if modified is not None else ()),
        *((("Vary", vary),) if vary is not None else ()),
    )
    verdict = evaluate(method, fields, validators, now=now)
    if verdict is Verdict.FAILED:
        # Without Cache-Control: a cache may keep a 412 as long as that says, and return it to those who set no
        # condition (RFC 9111 section 3).
        raise PreconditionFailed(current)
    metadata = (*current, ("Cache-Control", representation.caching))
    if verdict is Verdict.NOT_MODIFIED:
        return FileResponse(304, metadata, ())

    # Section 14.2: Range is defined for GET only, and comes after the preconditions.
    ranged = method == "GET" and range_applies(fields, validators, now=now)
    ranges = select_ranges(fields.get("range"), size) if ranged else None

    status, content_type = 206, representation.media_type
    part_of: tuple[tuple[str, str], ...] = ()
    parts: tuple[Part, ...]
    if ranges is None:
        status = 200
        parts = representation.cut((0, size)) if size else ()
    elif len(ranges) == 1:  # also what is left of several (section 15.3.7.2)
        part_of = (("Content-Range", content_range(ranges[0], size)),)
        parts = representation.cut(ranges[0])
    else:
        # Section 15.3.7.2: each part has its Content-Range, the response must not have one.
        word = boundary()
        content_type = f"multipart/byteranges; boundary={word}"
        parts = multipart_byteranges(ranges, size, representation.media_type, word, representation.cut)

    headers = (
        ("Content-Type", content_type),
        ("Content-Length", str(body_length(parts))),
        *part_of,
        *((("Content-Encoding", representation.coding),) if representation.coding is not None else ()),
        ("Accept-Ranges", "bytes"),
        *metadata,
        ("X-Content-Type-Options", "nosniff"),
        *((("Content-Disposition", content_disposition(representation.filename)),) if download else ()),
    )
    return FileResponse(status, headers, () if method == "HEAD" else parts)
