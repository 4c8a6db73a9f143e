"""Which pages of other sites are allowed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_stream.http.cors import is_foreign, normalise_origin, preflight_headers, response_headers

NONE: frozenset[str] = frozenset()
ANY = frozenset({"*"})
ALLOWED = frozenset({"https://friend.example", "http://10.0.0.5:8080"})


@pytest.mark.parametrize(
    ("origin", "host", "scheme", "foreign"),
    [
        (None, "tv.example", "http", False),
        (None, None, "http", False),
        # our own pages
        ("http://tv.example", "tv.example", "http", False),
        ("http://tv.example:8000", "tv.example:8000", "http", False),
        ("http://TV.example", "tv.EXAMPLE", "http", False),
        ("http://tv.example", "tv.example:80", "http", False),
        ("http://tv.example:80", "tv.example", "http", False),
        ("http://tv.example", "tv.example:", "http", False),
        ("https://tv.example", "tv.example", "https", False),
        ("http://[::1]:8000", "[::1]:8000", "http", False),
        ("http://tv.example", "tv.example", "ws", False),
        ("https://tv.example", "tv.example:443", "wss", False),
        # our own pages behind a proxy that terminates TLS
        ("https://tv.example", "tv.example", "http", False),
        ("https://tv.example", "tv.example:443", "http", False),
        ("https://tv.example", "tv.example:80", "http", False),
        ("https://tv.example:8443", "tv.example:8443", "http", False),
        # others
        ("http://evil.example", "tv.example", "http", True),
        ("http://tv.example.evil.example", "tv.example", "http", True),
        ("http://eviltv.example", "tv.example", "http", True),
        ("http://tv.example:8001", "tv.example:8000", "http", True),
        ("http://tv.example", "tv.example:8000", "http", True),
        ("http://tv.example:8000", "tv.example", "http", True),
        ("https://tv.example:80", "tv.example", "https", True),
        ("http://tv.example", None, "http", True),
        ("http://tv.example", "", "http", True),
        ("http://tv.example", "tv.example, tv.example", "http", True),
        # malformed origins
        ("null", "tv.example", "http", True),
        ("", "tv.example", "http", True),
        ("*", "tv.example", "http", True),
        ("tv.example", "tv.example", "http", True),
        ("http://tv.example/", "tv.example", "http", True),
        ("http://tv.example:99999", "tv.example:99999", "http", True),
        ("http://tv.example http://tv.example", "tv.example", "http", True),
        ("http://user@tv.example", "tv.example", "http", True),
        ("http://\u212a.example", "k.example", "http", True),  # a letter whose lower case is "k"
    ],
)
def test_is_foreign(origin: str | None, host: str | None, scheme: str, foreign: bool) -> None:
    assert is_foreign(origin, host, scheme, NONE) is foreign
    assert is_foreign(origin, host, scheme, ALLOWED) is foreign
    assert is_foreign(origin, host, scheme, ANY) is False


@pytest.mark.parametrize(
    ("origin", "foreign"),
    [
        ("https://friend.example", False),
        ("HTTPS://Friend.Example:443", False),
        ("http://10.0.0.5:8080", False),
        ("http://friend.example", True),  # the scheme is part of the configured origin
        ("https://friend.example:8443", True),
        ("https://www.friend.example", True),
        ("http://10.0.0.5", True),
    ],
)
def test_configured_origins(origin: str, foreign: bool) -> None:
    assert is_foreign(origin, "tv.example", "http", ALLOWED) is foreign
    granted = "Access-Control-Allow-Origin" in dict(response_headers(origin, ALLOWED))
    assert granted is not foreign


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("*", "*"),
        ("https://tv.example", "https://tv.example"),
        ("HTTPS://TV.Example:443", "https://tv.example"),
        ("http://tv.example:80", "http://tv.example"),
        ("http://tv.example:443", "http://tv.example:443"),
        ("http://tv.example:08080", "http://tv.example:8080"),
        ("http://localhost:5173", "http://localhost:5173"),
        ("http://[::1]:8000", "http://[::1]:8000"),
        ("moz-extension://0a1b2c", "moz-extension://0a1b2c"),
    ],
)
def test_normalise_origin(text: str, origin: str) -> None:
    assert normalise_origin(text) == origin
    assert normalise_origin(origin) == origin


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "no scheme"),
        ("tv.example", "no scheme"),
        ("tv.example:8000", "no scheme"),
        ("null", "no scheme"),
        ("//tv.example", "no scheme"),
        ("https://tv.example/", "continues after the host"),
        ("https://tv.example/videos", "continues after the host"),
        ("https://tv.example?x", "continues after the host"),
        ("https://tv.example#x", "continues after the host"),
        ("https://*.example", "wildcard"),
        ("https://", "no valid host and port"),
        ("https://tv.example:", "no valid host and port"),
        ("https://tv.example:65536", "no valid host and port"),
        ("https://tv.example:http", "no valid host and port"),
        ("https://user@tv.example", "no valid host and port"),
        ("https://été.example", "Punycode"),
        ("https://tv.example\n", "no valid host and port"),
        (" https://tv.example", "no valid host and port"),
    ],
)
def test_invalid_origins_are_refused(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        normalise_origin(text)


EXPOSED = ("Access-Control-Expose-Headers", "Content-Range, Accept-Ranges, ETag, Content-Length")
VARY = ("Vary", "Origin")


@pytest.mark.parametrize(
    ("origin", "allowed", "headers"),
    [
        (None, NONE, ()),
        ("https://friend.example", NONE, ()),
        (None, ALLOWED, (VARY,)),
        ("null", ALLOWED, (VARY,)),
        ("https://evil.example", ALLOWED, (VARY,)),
        (
            "https://friend.example",
            ALLOWED,
            (("Access-Control-Allow-Origin", "https://friend.example"), VARY, EXPOSED),
        ),
        (None, ANY, (("Access-Control-Allow-Origin", "*"), EXPOSED)),
        ("null", ANY, (("Access-Control-Allow-Origin", "*"), EXPOSED)),
        ("https://evil.example", ANY, (("Access-Control-Allow-Origin", "*"), EXPOSED)),
    ],
)
def test_response_headers(
    origin: str | None, allowed: frozenset[str], headers: tuple[tuple[str, str], ...]
) -> None:
    assert response_headers(origin, allowed) == headers


@pytest.mark.parametrize(
    ("origin", "method", "allowed", "granted"),
    [
        ("https://friend.example", "GET", ALLOWED, True),
        ("https://friend.example", "HEAD", ALLOWED, True),
        ("https://friend.example", "DELETE", ALLOWED, True),
        ("https://evil.example", "GET", ANY, True),
        *(("https://friend.example", method, ALLOWED, True) for method in ("POST", "PUT", "PATCH")),
        ("https://friend.example", "TRACE", ALLOWED, False),
        ("https://friend.example", None, ALLOWED, False),
        ("https://evil.example", "GET", ALLOWED, False),
        (None, "GET", ALLOWED, False),
        ("https://friend.example", "GET", NONE, False),
    ],
)
def test_preflight_headers(
    origin: str | None, method: str | None, allowed: frozenset[str], granted: bool
) -> None:
    headers = preflight_headers(origin, method, allowed)
    base = response_headers(origin, allowed)
    assert headers[: len(base)] == base
    more = dict(headers[len(base) :])
    if not granted:
        assert more == {}
        return
    assert more["Access-Control-Allow-Methods"] == "GET, HEAD, POST, PUT, PATCH, DELETE"
    assert {"Range", "If-Range", "Content-Type"} <= set(more["Access-Control-Allow-Headers"].split(", "))
    assert more["Access-Control-Max-Age"] == "86400"


@given(origin=st.one_of(st.text(), st.text().map("http://tv.example".__add__)))
def test_any_text_is_foreign_unless_it_is_our_origin(origin: str) -> None:
    ours = {"http://tv.example", "http://tv.example:80"}
    assert is_foreign(origin, "tv.example", "http", NONE) == (origin not in ours)
    for name, value in response_headers(origin, ALLOWED):
        assert f"{name}: {value}".isprintable()
