"""Host names of the server and of others."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_stream.http.hosts import is_own, normalise_host


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "127.0.0.1:8000", "192.168.1.7:80", "[::1]", "[::1]:8000", "[2001:db8::1]"),
        *("localhost", "LOCALHOST:8000", "a.localhost", "nas", "nas:8000", "nas.", "nas.local", "Nas.Local.:8000"),
        *("tv.home.arpa", "tv.internal", "films.example", "films.example:8443", "Films.Example."),
        *("a.many.example", "b.a.many.example:1"),
    ],
)  # fmt: skip
def test_own_names(host: str) -> None:
    assert is_own(host, {"films.example", ".many.example"})


@pytest.mark.parametrize(
    "host",
    [
        *("evil.example", "evil.example:8000", "127.0.0.1.evil.example", "films.example.evil.example"),
        *("many.example", "notfilms.example", "local.evil.example", "xlocal.evil", "evil.local.example"),
        *("1.2.3.4.5", "1.2.3", "", ":8000", "a b", "evil.example, nas", "nas/evil.example", "evil.example@nas"),
        *("evil.example:port", "nas:123456", "n\u00e4s", "[::1", "\u0661.2.3.4"),
    ],
)  # fmt: skip
def test_foreign_names(host: str) -> None:
    assert not is_own(host, {"films.example", ".many.example"})


def test_any_name() -> None:
    assert is_own("evil.example", {"*"})
    assert not is_own("a b", {"*"})


LABEL = st.from_regex(r"[a-z][a-z0-9]{0,10}", fullmatch=True)


@given(
    st.lists(LABEL, min_size=1, max_size=4), LABEL.filter(lambda label: label not in ("local", "internal"))
)
def test_names_that_can_be_registered_are_foreign(labels: list[str], top: str) -> None:
    name = ".".join([*labels, top])
    assert is_own(name, ()) == name.endswith((".localhost", ".home.arpa"))
    assert is_own(name, {name})


@pytest.mark.parametrize(
    ("text", "name"), [("Films.Example", "films.example"), (".many.example.", ".many.example"), ("*", "*")]
)
def test_normalise_host(text: str, name: str) -> None:
    assert normalise_host(text) == name


@pytest.mark.parametrize("text", ["https://films.example", "films.example:80", "*.example", "", "a/b", ".."])
def test_invalid_names_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a host name"):
        normalise_host(text)
