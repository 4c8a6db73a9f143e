"""Problem details (RFC 9457), the form in which all errors reach a client.

Invariant: `code` is for programs and never changes its meaning, `detail` is for people.
"""

from http import HTTPStatus
from typing import Annotated, Self

from msgspec import Meta, Struct

MEDIA_TYPE = "application/problem+json"

type Status = Annotated[int, Meta(ge=400, le=599, description="The HTTP status.")]
type Code = Annotated[
    str,
    Meta(
        description="A stable word for programs, from the list under Problems.",
        examples=["video-not-found"],
    ),
]
type Detail = Annotated[str, Meta(description="A sentence for people.")]


class Problem(Struct, frozen=True, kw_only=True):
    """An error (RFC 9457), as `application/problem+json`."""

    # A client ignores unknown members (section 3.2), so later versions may add some.
    type: Annotated[
        str,
        Meta(
            description="The address of the documentation of this problem.",
            extra_json_schema={"format": "uri-reference"},
        ),
    ]
    title: Annotated[str, Meta(description="The name of the HTTP status.", examples=["Not Found"])]
    status: Status
    detail: Detail
    code: Code

    @classmethod
    def of(cls, status: int, code: str, detail: str) -> Self:
        """Build the document of a problem (RFC 9457 section 3).

        `code` is a stable lower-case word. It ends the `type`, a relative reference to the documentation of the
        problem. Raises `ValueError` for a status that is not registered.
        """
        return cls(
            type=f"/docs#problem-{code}",
            title=HTTPStatus(status).phrase,
            status=status,
            detail=detail,
            code=code,
        )
