"""The response to a GET or HEAD for a file, decided before a byte of it is read.

Invariant: GET and HEAD with the same fields, except `Range`, have the same status and headers. Content-Length is the
sum of the parts.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from trio_stream.byte_ranges import ByteRange, ByteRanges
from trio_stream.errors import PreconditionFailed
from trio_stream.http.bodies import Part, body_length, content_range, multipart_byteranges, slice_parts
from trio_stream.http.fields import Headers, content_disposition, format_date
from trio_stream.http.preconditions import Validators, Verdict, evaluate, range_applies
from trio_stream.http.ranges import select_ranges

REVALIDATE = "no-cache"
"""The content of the URL may change: a cache may store it, but must revalidate it before each use."""

IMMUTABLE = "public, max-age=31536000, immutable"
"""The content of the URL never changes (RFC 8246)."""


@dataclass(frozen=True, slots=True)
class Representation:
    """A file in terms of HTTP: `size` in bytes, `filename` for a download.

    If the content is in memory, or is generated while it is sent, `parts` are all of it, together `size` bytes.

    If a URL has several representations, `vary` names the request fields that select one, and `coding` is the content
    coding of this one (RFC 9110 sections 12.5.5 and 8.4). Its size, ranges and validators are those of the encoded
    bytes.
    """

    size: int
    validators: Validators
    media_type: str
    filename: str = ""
    caching: str = REVALIDATE
    parts: tuple[Part, ...] | None = None
    vary: str | None = None
    coding: str | None = None

    def cut(self, wanted: ByteRange) -> tuple[Part, ...]:
        """The parts of a byte range of it."""
        if self.parts is None:
            return (ByteRanges((wanted,)),)
        return slice_parts(self.parts, wanted)


@dataclass(frozen=True, slots=True)
class FileResponse:
    """A response: headers in the order they are sent, and the body as parts. Without parts it has no content."""

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
    """The response to a GET or HEAD: 200, 206 or 304.

    `fields` maps lower-case names to values, repeated lines joined by ", "; `now` is in seconds since the epoch;
    `boundary` returns one for a multipart body, see `multipart_byteranges`; `download` tells browsers to save the
    content instead of showing it.

    Raises PreconditionFailed and RangeNotSatisfiable for 412 and 416 (RFC 9110 sections 15.5.13 and 15.5.17); the
    caller renders these.
    """
    validators, size = representation.validators, representation.size
    modified, vary = validators.modified, representation.vary
    current = (
        ("ETag", validators.etag),
        # Section 8.8.2.1: not later than the time of the message.
        *((("Last-Modified", format_date(min(modified, now))),) if modified is not None else ()),
        *((("Vary", vary),) if vary is not None else ()),
    )
    verdict = evaluate(method, fields, validators, now=now)
    if verdict is Verdict.FAILED:
        # Without Cache-Control: with it, a cache could store a 412 and return it to clients that set no condition
        # (RFC 9111 section 3).
        raise PreconditionFailed(current)
    metadata = (*current, ("Cache-Control", representation.caching))
    if verdict is Verdict.NOT_MODIFIED:
        return FileResponse(304, metadata, ())

    # Section 14.2: Range is defined for GET only, and is evaluated after the preconditions.
    use_range = method == "GET" and range_applies(fields, validators, now=now)
    ranges = select_ranges(fields.get("range"), size) if use_range else None

    status, content_type = 206, representation.media_type
    part_of: tuple[tuple[str, str], ...] = ()
    parts: tuple[Part, ...]
    if ranges is None:
        status = 200
        parts = representation.cut((0, size)) if size else ()
    elif len(ranges) == 1:  # also if several were merged into one (section 15.3.7.2)
        part_of = (("Content-Range", content_range(ranges[0], size)),)
        parts = representation.cut(ranges[0])
    else:
        # Section 15.3.7.2: each part has its Content-Range, the response must not have one.
        token = boundary()
        content_type = f"multipart/byteranges; boundary={token}"
        parts = multipart_byteranges(ranges, size, representation.media_type, token, representation.cut)

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
