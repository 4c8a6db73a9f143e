"""Problem details (RFC 9457): the one form in which an error reaches a client.

Invariant: `code` is for programs and never changes its meaning, `detail` is for people; the members RFC 9457
defines are always those of the problem, whatever extra ones are given.
"""

from http import HTTPStatus

MEDIA_TYPE = "application/problem+json"


def problem_document(status: int, code: str, detail: str, **extra: object) -> dict[str, object]:
    """The members of a problem document, ready for JSON (RFC 9457 section 3).

    `code` is a stable lower-case word; it ends the `type`, a relative reference to where our documentation
    explains the problem. `extra` are extension members (section 3.2).

    Raises ValueError for a status that is not registered.
    """
    members: dict[str, object] = {
        "type": f"/docs#problem-{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
    }
    return members | extra | members  # their order, and the last word
