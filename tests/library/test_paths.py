"""How names are sorted, and how URLs encode them."""

import os
import re
from urllib.parse import urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from trio_stream.library.naming.paths import (
    LONGEST_KEY,
    LONGEST_NAME,
    folded,
    is_plain,
    name_from_url,
    natural_key,
    sort_key,
    title_of,
    url_path,
    words,
)


@pytest.mark.parametrize(
    "names",
    [
        ["1.mp4", "2.mp4", "10.mp4", "100.mp4"],
        ["e1.mp4", "E2.mp4", "e10.mp4"],
        ["a.mp4", "B.mp4", "c.mp4"],
        ["1.mp4", "a.mp4"],
        ["2.mp4", "10.mp4", "a 1.mp4", "a 02.mp4", "a 10.mp4", "b.mp4"],
        ["s1e2.mp4", "s1e10.mp4", "s2e1.mp4", "s10e1.mp4"],
        ["1.2.9.mp4", "1.2.10.mp4", "1.10.1.mp4"],
        ["b/2.mp4", "b/10.mp4", "b c/1.mp4"],
        ["season 2/1.mp4", "season 10/1.mp4"],
        ["a/b/c.mp4", "a/d.mp4", "e.mp4"],
        ["Straße 1.mp4", "STRASSE 2.mp4"],
        ["\u0662.mp4", "\u0661\u0660.mp4"],  # digits of any script
        ["99999999999999999998.mp4", "99999999999999999999.mp4"],
        ["x" + "8" * 4000 + ".mp4", "x" + "9" * 4000 + ".mp4"],
    ],
)
def test_natural_order(names: list[str]) -> None:
    backwards = names[::-1]
    assert sorted(backwards, key=natural_key) == names


@pytest.mark.parametrize("names", [("a.mp4", "A.mp4"), ("01.mp4", "1.mp4"), ("²", "2"), ("1", "\u0661")])
def test_similar_names_have_a_fixed_order(names: tuple[str, str]) -> None:
    one, other = map(natural_key, names)
    assert one != other
    assert (one < other) is not (other < one)


file_names = st.binary(min_size=1, max_size=80).map(os.fsdecode)
"""Any bytes that a file system allows in a path."""

path_strings = st.one_of(
    st.text(st.characters(exclude_categories=()), max_size=40),
    st.text("aAbß01٣²½/. -\udcff", max_size=12),
    file_names,
)


@given(st.lists(path_strings, max_size=6))
@example(["a", "a1", "a/1", "1a", "1", "", "/", "//"])
@example(["²", "½", "٣", "3", "३"])
def test_the_order_of_all_names_is_total(names: list[str]) -> None:
    keys = [natural_key(name) for name in names]
    for name, key in zip(names, keys, strict=True):
        for other, other_key in zip(names, keys, strict=True):
            assert (key == other_key) is (name == other)
            assert (key < other_key) + (key == other_key) + (key > other_key) == 1


@given(st.integers(0, 10**30), st.integers(0, 10**30), st.text("ab -", max_size=3))
def test_numbers_are_sorted_by_their_value(one: int, other: int, before: str) -> None:
    smaller, larger = sorted((one, other))
    names = [f"{before}{larger}.mp4", f"{before}{smaller}.mp4"]
    assert sorted(names, key=natural_key) == names[::-1]


@given(st.lists(st.tuples(st.sampled_from(["a", "b", "a b", "a1", "A"]), path_strings), max_size=8))
def test_the_files_of_a_folder_stay_together(entries: list[tuple[str, str]]) -> None:
    ordered = sorted((f"{folder}/{name}" for folder, name in entries), key=natural_key)
    folders = [name.partition("/")[0] for name in ordered]
    runs = [folder for at, folder in enumerate(folders) if at == 0 or folders[at - 1] != folder]
    assert len(runs) == len(set(runs))


@pytest.mark.parametrize(
    ("name", "spelt"),
    [
        ("film.mp4", "film.mp4"),
        ("a b.mp4", "a%20b.mp4"),
        ("100%.mp4", "100%25.mp4"),
        ("a%20b.mp4", "a%2520b.mp4"),
        ("what?#.mp4", "what%3F%23.mp4"),
        ("sub/film.mp4", "sub/film.mp4"),
        ("a+b&c=d;e,f.mp4", "a+b&c=d;e,f.mp4"),
        ("a:b@c!d$e'(f)*~_-.mp4", "a:b@c!d$e'(f)*~_-.mp4"),
        ("back\\slash.mp4", "back%5Cslash.mp4"),
        ("ü.mp4", "%C3%BC.mp4"),
        ("u\u0308.mp4", "u%CC%88.mp4"),
        ("🎬.mp4", "%F0%9F%8E%AC.mp4"),
        ("\udcff\udcfe.mp4", "%FF%FE.mp4"),
        ("a\nb\t\x7f.mp4", "a%0Ab%09%7F.mp4"),
        ('"<>[]^`{|}', "%22%3C%3E%5B%5D%5E%60%7B%7C%7D"),
    ],
)
def test_names_are_encoded_in_urls(name: str, spelt: str) -> None:
    assert url_path(name) == spelt
    assert name_from_url(spelt.encode()) == name


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        (b"a+b", "a+b"),  # in a path, a plus is not a space
        (b"a%2fb", "a/b"),
        (b"%252e", "%2e"),  # decoded once
        (b"%", "%"),
        (b"%zz%4", "%zz%4"),
        (b"\xc3\xbc", "ü"),
        (b"\xff", "\udcff"),
        (b"%C3", "\udcc3"),
        (b"%00", "\0"),
        (b"", ""),
    ],
)
def test_names_are_decoded_from_urls(raw: bytes, name: str) -> None:
    assert name_from_url(raw) == name


@given(st.binary(max_size=200))
@example(b"\xed\xb3\xbf")  # the UTF-8 of a lone surrogate
@example(b"%41")
def test_any_file_name_round_trips(content: bytes) -> None:
    name = content.decode("utf-8", "surrogateescape")
    spelt = url_path(name)
    assert name_from_url(spelt.encode("ascii")) == name
    assert name.encode("utf-8", "surrogateescape") == content
    assert re.fullmatch(r"(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-F]{2})*", spelt)
    assert urlsplit(f"http://t/api/stream/{spelt}").path == f"/api/stream/{spelt}"


@given(st.binary(max_size=200))
def test_any_path_decodes_to_a_name(raw: bytes) -> None:
    name = name_from_url(raw)
    assert name_from_url(url_path(name).encode()) == name


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("film.mp4", True),
        ("sub/folder/film.mp4", True),
        ("a b.mp4", True),
        ("trailing dot.", True),
        ("a..b.mp4", True),
        ("-rf.mp4", True),
        ("~/film.mp4", True),
        ("CON.mp4", True),
        ("C:film.mp4", True),
        ("a\nb.mp4", True),
        ("\udcff.mp4", True),
        ("a\ud800.mp4", True),
        ("n" * LONGEST_NAME, True),
        ("n" * (LONGEST_NAME + 1), False),
        ("ü" * (LONGEST_NAME // 2), True),
        ("ü" * (LONGEST_NAME // 2) + "n", False),
        ("", False),
        ("/", False),
        ("/film.mp4", False),
        ("film.mp4/", False),
        ("a//b.mp4", False),
        (".", False),
        ("..", False),
        ("./film.mp4", False),
        ("../film.mp4", False),
        ("a/./b.mp4", False),
        ("a/../b.mp4", False),
        ("a/..", False),
        (".hidden.mp4", False),
        (".hidden/film.mp4", False),
        ("a/.hidden/film.mp4", False),
        ("...", False),
        ("a\0.mp4", False),
        ("film.mp4\0", False),
        ("a\\b.mp4", True),
        ("\\a.mp4", True),
        ("a\\/b\\.mp4", True),
        ("C:\\..\\film.mp4", True),
        ("..\\film.mp4", False),  # hidden, like any name that begins with a dot
        (".\\film.mp4", False),
    ],
)
def test_is_plain(name: str, plain: bool) -> None:
    assert is_plain(name) is plain


@given(st.one_of(st.text("a./\\\0 ", max_size=8), st.text("a./", max_size=8), path_strings))
def test_a_plain_name_stays_below_its_folder(name: str) -> None:
    if is_plain(name):
        assert os.path.normpath(f"/library/{name}") == f"/library/{name}"
        assert "\0" not in name
    else:
        assert not re.fullmatch(r"[a \\]+(/[a \\]+)*", name)


@given(
    st.lists(st.text("ab.ü \udcff", min_size=1, max_size=5).filter(lambda part: part[0] != "."), min_size=1)
)
def test_visible_segments_make_a_plain_name(segments: list[str]) -> None:
    assert is_plain("/".join(segments))


@given(path_strings, path_strings)
@example("a", "a/b")
@example("x.1", "x.1/y")
@example("a01", "a1")
def test_stored_keys_compare_like_names(one: str, other: str) -> None:
    one, other = one.replace("\0", ""), other.replace("\0", "")
    assert (sort_key(one) < sort_key(other)) is (natural_key(one) < natural_key(other))


def test_stored_keys_are_bounded() -> None:
    assert len(sort_key("n" * LONGEST_NAME)) == LONGEST_KEY
    assert sort_key("9" * 4000) > sort_key("8" * 4000)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Amélie", "amelie"),
        ("ÅNGSTRÖM", "angstrom"),
        ("Straße", "strasse"),
        ("İstanbul", "istanbul"),
        ("São João", "sao joao"),
        ("Đorđe Łódź", "dorde lodz"),
        ("ﬁlm \uff12", "film 2"),
        ("Ёлки", "елки"),
        ("Ǿrsted Ǣ", "orsted ae"),
        ("東京", "東京"),
    ],
)
def test_folding(text: str, expected: str) -> None:
    assert folded(text) == expected


@given(path_strings)
def test_folding_twice_changes_nothing(text: str) -> None:
    once = words(text)
    assert words(" ".join(once)) == once
    assert all(word.isalnum() and word.encode() for word in once), "and it has a UTF-8 form"


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("Films/Big Buck Bunny.mp4", "Big Buck Bunny"),
        ("the.quiet.man.1952.mkv", "the quiet man 1952"),
        ("Dr. No.mp4", "Dr. No"),
        ("a_b.mp4", "a b"),
        ("....mp4", "..."),
        (os.fsdecode(b"caf\xe9.mp4"), "caf\ufffd"),
    ],
)
def test_titles(name: str, title: str) -> None:
    assert title_of(name) == title
