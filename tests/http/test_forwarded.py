"""The client's address behind proxies: no client can choose it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_stream.http.forwarded import client_address

PROXIES = {"10.0.0.1", "10.0.0.2"}


@pytest.mark.parametrize(
    ("peer", "field", "client"),
    [
        ("192.0.2.1", "", "192.0.2.1"),
        ("192.0.2.1", "198.51.100.7", "192.0.2.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.7", "198.51.100.7"),
        ("10.0.0.1", "1.1.1.1, 198.51.100.7", "198.51.100.7"),
        ("10.0.0.1", "1.1.1.1, 198.51.100.7, 10.0.0.2", "198.51.100.7"),
        ("10.0.0.1", "1.1.1.1,10.0.0.2 ,10.0.0.1", "1.1.1.1"),
        ("10.0.0.1", "[2001:db8::1]", "2001:db8::1"),
        ("10.0.0.1", "1.1.1.1, unknown", "10.0.0.1"),
        ("10.0.0.1", "1.1.1.1, <script>", "10.0.0.1"),
        ("10.0.0.1", "1.1.1.1, " + "1" * 500, "10.0.0.1"),
        ("10.0.0.1", "10.0.0.2," * 1000, "10.0.0.1"),
    ],
)
def test_client_address(peer: str, field: str, client: str) -> None:
    assert client_address(peer, field, PROXIES.__contains__) == client


@given(st.text())
def test_the_field_of_an_untrusted_peer_is_ignored(field: str) -> None:
    assert client_address("192.0.2.1", field, PROXIES.__contains__) == "192.0.2.1"


@given(st.text(), st.ip_addresses().map(str))
def test_entries_before_those_of_the_proxy_are_ignored(field: str, client: str) -> None:
    assert client_address("10.0.0.1", f"{field}, {client}", PROXIES.__contains__) == client
