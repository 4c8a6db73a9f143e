"""Normal forms of paths."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_stream.http.paths import normal_path


@pytest.mark.parametrize(
    ("raw", "normal"),
    [
        (b"/api/stream/a.mp4", b"/api/stream/a.mp4"),
        (b"/api/%73tream/a%2Emp4", b"/api/stream/a.mp4"),
        (b"/%7euser/%c3%a9", b"/~user/%C3%A9"),
        (b"/a%2fb", b"/a%2Fb"),  # an encoded slash is not a separator
        (b"/a%2Fb%20c", b"/a%2Fb%20c"),
        (b"/%", b"/%"),
        (b"/%4", b"/%4"),
        (b"/%zz", b"/%zz"),
        (b"/%25%37%33", b"/%2573"),  # decoded once
        (b"/a/%2e%2E/b", b"/a/../b"),
        (b"/a//b", b"/a//b"),
        (b"/.a/..b", b"/.a/..b"),
    ],
)
def test_normal_path(raw: bytes, normal: bytes) -> None:
    assert normal_path(raw) == normal
    assert normal_path(normal) == normal


PATH_PARTS = st.lists(
    st.sampled_from([b"/", b".", b"..", b"a", b"%", b"%2e", b"%2F", b"%73", b"%C3", b"%25", b"7"])
)


@given(PATH_PARTS)
def test_the_normal_form_of_a_normal_form_is_itself(parts: list[bytes]) -> None:
    once = normal_path(b"/" + b"".join(parts))
    assert normal_path(once) == once
    assert once[:1] == b"/"


@given(st.text(st.characters(exclude_characters="/.", exclude_categories=["Cs"]), min_size=1), st.data())
def test_every_spelling_of_a_name_has_the_same_normal_form(name: str, data: st.DataObject) -> None:
    plain = b"/" + b"".join(b"%%%02X" % octet for octet in name.encode())
    other = b"/" + b"".join(
        data.draw(st.sampled_from([b"%%%02X" % octet, b"%%%02x" % octet])) for octet in name.encode()
    )
    assert normal_path(plain) == normal_path(other)
