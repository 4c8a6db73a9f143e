"""Which pages of other sites may use this server (the Fetch standard's CORS protocol, RFC 6454).

Invariant: a page of another site has access only if the operator has configured its origin. Our own pages always have
access, even behind a proxy that terminates TLS.

`allowed` is always the set of configured origins, each as `normalise_origin` returns it; "*" in it allows any origin.
"""

import re

from trio_stream.http.fields import Headers

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")

_EXPOSED = "Content-Range, Accept-Ranges, ETag, Content-Length"
_REQUEST_FIELDS = (
    "Range, If-Range, If-Match, If-None-Match, If-Modified-Since, If-Unmodified-Since, Content-Type"
)
_MAX_AGE = 86400  # seconds; browsers cap it further

_DEFAULT_PORTS = {"http": 80, "ws": 80, "https": 443, "wss": 443}

# RFC 6454 section 7.1 (browsers send only one origin of an origin-list), with the host of RFC 3986 section 3.2.2
# restricted to what browsers send: LDH labels, an IPv4 address or an IPv6 address in brackets.
#   serialized-origin = scheme "://" host [ ":" port ]
# RFC 9110 section 7.2; the port may be empty here.
#   Host = uri-host [ ":" port ]
_HOST_PORT = r"(?P<host>\[[0-9a-f:.]+\]|[a-z0-9._-]+)"
_ORIGIN = re.compile(
    rf"(?P<scheme>[a-z][a-z0-9+.-]*)://{_HOST_PORT}(?::(?P<port>[0-9]{{1,5}}))?", re.ASCII | re.IGNORECASE
)
_HOST = re.compile(rf"{_HOST_PORT}(?::(?P<port>[0-9]{{0,5}}))?", re.ASCII | re.IGNORECASE)


def normalise_origin(text: str) -> str:
    """A configured origin as browsers write it: in lower case, without a default port; "*", for any, stays.

    Raises ValueError with a sentence for the operator if it is not an origin.
    """
    if text == "*":
        return text
    origin = _serialise(text)
    if origin is not None:
        return origin
    _, separator, rest = text.partition("://")
    if not separator:
        raise ValueError(
            f"{text!r} has no scheme; an origin looks like https://tv.example or http://10.0.0.5:8080"
        )
    if "*" in rest:
        raise ValueError(
            f"{text!r} has a wildcard; name each origin in full, or allow all of them with a lone *"
        )
    if any(mark in rest for mark in "/?#"):
        raise ValueError(
            f"{text!r} continues after the host and port; an origin ends there, without even a slash"
        )
    raise ValueError(f"{text!r} has no valid host and port; non-ASCII hosts are written in Punycode")


def is_foreign(origin: str | None, host: str | None, scheme: str, allowed: frozenset[str]) -> bool:
    """Whether a request comes from a page of another site that is not allowed.

    `origin` and `host` are the values of those fields, `scheme` that of the request as it reached us. A request
    without `Origin` does not come from a page, or comes from a plain link, and is not foreign. `null` (a sandboxed
    frame, a file) is foreign, and so is a malformed origin.
    """
    if origin is None or "*" in allowed:
        return False
    serialised = _serialise(origin)
    if serialised is None:
        return True
    return serialised not in allowed and not _same_site(serialised, host, scheme)


def _same_site(origin: str, host: str | None, scheme: str) -> bool:
    """Whether a serialised origin and a Host name the same server.

    The schemes are not compared: behind a proxy that terminates TLS the browser's is https and ours is http, and
    anyone who can serve a page on the same host and port can do so under either. So the default port of either scheme
    counts as no port, whether or not the proxy wrote its own into Host.
    """
    ours, theirs = _HOST.fullmatch(host or ""), _ORIGIN.fullmatch(origin)
    if ours is None or theirs is None or ours["host"].lower() != theirs["host"]:
        return False
    defaults = {_DEFAULT_PORTS.get(scheme), _DEFAULT_PORTS.get(theirs["scheme"])}
    port = int(ours["port"]) if ours["port"] else None
    return (None if port in defaults else port) == (int(theirs["port"]) if theirs["port"] else None)


def _serialise(text: str) -> str | None:
    """An origin in lower case and without a default port; None for a malformed one."""
    match = _ORIGIN.fullmatch(text)
    if match is None:
        return None
    scheme, host = match["scheme"].lower(), match["host"].lower()
    if match["port"] is None or int(match["port"]) == _DEFAULT_PORTS.get(scheme):
        return f"{scheme}://{host}"
    port = int(match["port"])
    return f"{scheme}://{host}:{port}" if port <= 65535 else None


def response_headers(origin: str | None, allowed: frozenset[str]) -> Headers:
    """The CORS headers of every response to an actual request, including errors and 304."""
    if "*" in allowed:
        return (("Access-Control-Allow-Origin", "*"), ("Access-Control-Expose-Headers", _EXPOSED))
    if not allowed:
        return ()
    # Vary even if the origin is missing or refused: a cache must not return that response to an allowed origin.
    vary = ("Vary", "Origin")
    if origin is None or _serialise(origin) not in allowed:
        return (vary,)
    return (("Access-Control-Allow-Origin", origin), vary, ("Access-Control-Expose-Headers", _EXPOSED))


def preflight_headers(origin: str | None, requested_method: str | None, allowed: frozenset[str]) -> Headers:
    """The headers of the response to an OPTIONS request with this Access-Control-Request-Method.

    A refusal is a response without the Access-Control-Allow headers; the browser does the rest.
    """
    headers = response_headers(origin, allowed)
    granted = any(name == "Access-Control-Allow-Origin" for name, _ in headers)
    if not granted or requested_method not in METHODS:
        return headers
    return (
        *headers,
        ("Access-Control-Allow-Methods", ", ".join(METHODS)),
        ("Access-Control-Allow-Headers", _REQUEST_FIELDS),
        ("Access-Control-Max-Age", str(_MAX_AGE)),
    )
