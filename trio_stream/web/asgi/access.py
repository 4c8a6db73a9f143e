"""Who sent a request, and what it may do: the only place that decides a grant, and the only one that checks it.

Invariant: nothing that a client sends over the network states its own grant. A request over the owner's socket comes
from another process of this server, or from its command line, and states the grant that was decided there.
"""

from collections.abc import Callable
from functools import lru_cache
from ipaddress import ip_address
from typing import Any

import structlog

from trio_stream.accounts import grants
from trio_stream.accounts.grants import GUEST, NOBODY, OPERATOR, Grant, Verb
from trio_stream.errors import NotAllowed, NotOpen
from trio_stream.web.asgi.exchange import Exchange

FORWARDING_FIELDS = (
    "forwarded",
    "via",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-forwarded-server",
    "x-real-ip",
)
"""Header fields that proxies add. A request with one of them did not start where its connection comes from."""

log = structlog.get_logger("trio_stream.web")

_REFUSED = {
    Verb.WATCH: "watch videos",
    Verb.TRACK: "have playheads or a history here",
    Verb.EDIT: "change the library",
    Verb.OPERATE: "see or change how the server works",
}


def requires[F: Callable[..., Any]](verb: Verb | None) -> Callable[[F], F]:
    """Mark a route with the verb that it requires. None: anybody may call it."""

    def mark(route: F) -> F:
        route.verb = verb  # type: ignore[attr-defined] # mypy does not allow attributes of functions
        return route

    return mark


def verb_of(route: Callable[..., Any]) -> Verb | None:
    """The verb that a route, or a view of the URL map, requires.

    A route without a mark, which an application built around this one has added, is the operator's.
    """
    verb: Verb | None = getattr(getattr(route, "route", route), "verb", Verb.OPERATE)
    return verb


def decide(exchange: Exchange) -> Grant:
    """The grant of a request."""
    if exchange.is_local:
        return _stated(exchange.fields.get(grants.FIELD.lower()))
    if is_this_machine(exchange):
        return OPERATOR
    return GUEST if exchange.services.settings.anonymous == "view" else NOBODY


def check(exchange: Exchange, verb: Verb | None) -> None:
    """Raise `NotOpen` or `NotAllowed` unless the request may do what the verb says."""
    grant = exchange.grant
    if verb is None or verb in grant.verbs:
        return
    if not grant.verbs:
        log.warning(
            "a client on another machine was refused",
            address=exchange.client(),
            remedy="to let everybody view, set TRIO_STREAM_ANONYMOUS=view",
            often=True,
        )
        raise NotOpen(
            "this server serves only the machine that it runs on; "
            "its operator can let everybody view with TRIO_STREAM_ANONYMOUS=view"
        )
    raise NotAllowed(f"{grant.name} may not {_REFUSED[verb]}")


def is_this_machine(exchange: Exchange) -> bool:
    """Whether the request started on this machine, as far as that can be known.

    A proxy on this machine that adds no field, and is not a trusted one, cannot be told from a person.
    """
    if not exchange.is_proxied and not exchange.fields.keys().isdisjoint(FORWARDING_FIELDS):
        return False
    return is_loopback(exchange.client())


@lru_cache(maxsize=1024)
def is_loopback(address: str) -> bool:
    """Whether an address is one of this machine to itself (RFC 1122 section 3.2.1.3, RFC 4291 section 2.5.3)."""
    try:
        found = ip_address(address)
    except ValueError:
        return False
    mapped = getattr(found, "ipv4_mapped", None)
    return (mapped or found).is_loopback


def _stated(field: str | None) -> Grant:
    """The grant that another process of this server states."""
    if field is None:
        return NOBODY
    try:
        return grants.decode(field)
    except (ValueError, TypeError, KeyError):
        return NOBODY
