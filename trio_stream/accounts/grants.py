"""The rule of access: who sent a request, and what they may do.

A `Grant` is plain data. It is decided once per request (`web.asgi.access`), by the process that received the request.
A process that forwards the request states the grant, and the owner of the data applies it.
"""

import json
from dataclasses import dataclass
from enum import StrEnum


class Verb(StrEnum):
    """What a grant allows. Each route requires one of these, or none."""

    WATCH = "watch"
    """List the videos and play them."""
    TRACK = "track"
    """Have playheads and a history on this server."""
    EDIT = "edit"
    """Change titles, descriptions and tags, and start a scan."""
    OPERATE = "operate"
    """See the activity of the server, its metrics and the API reference, and end streams."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What a request may do. `user` owns the playheads; it is empty for somebody who has none. `name` is for people."""

    user: str
    name: str
    verbs: frozenset[Verb]


LOCAL_USER = "local"
"""The user who watches on the machine of the server."""

NOBODY = Grant("", "nobody", frozenset())
GUEST = Grant("", "a guest", frozenset({Verb.WATCH}))
"""Anybody, if the operator lets everybody view (`TRIO_STREAM_ANONYMOUS=view`)."""
OPERATOR = Grant(LOCAL_USER, "the operator", frozenset(Verb))
"""Whoever uses the machine that the server runs on, and the command line."""

FIELD = "Trio-Stream-Grant"
"""The header field by which one process of a server states a grant to another. It counts only on the owner's socket."""


def encode(grant: Grant) -> str:
    """The grant as the value of a header field: JSON in ASCII."""
    return json.dumps({"user": grant.user, "name": grant.name, "verbs": sorted(grant.verbs)})


def decode(text: str) -> Grant:
    """The grant that `encode` wrote. Raises `ValueError`, `TypeError`, `KeyError`."""
    values = json.loads(text)
    return Grant(str(values["user"]), str(values["name"]), frozenset(map(Verb, values["verbs"])))
