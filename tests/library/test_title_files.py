"""Title files: how they are read, and why some are invalid."""

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.costs import assert_costs
from trio_stream.http.media_types import media_type
from trio_stream.library.folder.title_files import (
    LARGEST,
    MAX_TITLE_FILES,
    InvalidTitleFile,
    changed_title_files,
    is_title_file,
    read_title,
)
from trio_stream.library.folder.walking import read_folder
from trio_stream.library.naming.families import MAX_VERSIONS
from trio_stream.library.naming.paths import is_plain


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        ("Film.title.toml", True),
        ("FILM.TITLE.TOML", True),
        ("Film.2019.title.toml", True),
        (".title.toml", False),
        ("title.toml", False),
        ("Film.toml", False),
        ("pyproject.toml", False),
        ("Film.title.toml.bak", False),
        ("Film.title.toml.mp4", False),
    ],
)
def test_which_files_are_title_files(name: str, is_one: bool) -> None:
    assert is_title_file(name) is is_one


@pytest.mark.parametrize(
    ("name", "text", "title", "files"),
    [
        ("Film.title.toml", 'files = ["a.mp4"]', "Film", ["a.mp4"]),
        ("Film.title.toml", 'files = ["a.mp4", "small/b.mkv"]', "Film", ["a.mp4", "small/b.mkv"]),
        ("x/Film.title.toml", 'files = ["a.mp4", "small/b.mkv"]', "Film", ["x/a.mp4", "x/small/b.mkv"]),
        ("Film.2019.title.toml", 'files = ["a.mp4"]', "Film 2019", ["a.mp4"]),
        ("Film.title.toml", 'title = " A film: the film "\nfiles = ["a.mp4"]', "A film: the film", ["a.mp4"]),
        ("Film.title.toml", 'files = ["a.mp4", "b.mp4", "a.mp4"]', "Film", ["a.mp4", "b.mp4"]),
        ("Film.title.toml", '# best first\nfiles = [\n  "ü.mp4", # yes\n]\n', "Film", ["ü.mp4"]),
        ("x/Film.title.toml", 'files = ["./a.mp4", "a.mp4"]', "Film", ["x/a.mp4"]),
        ("Film.title.toml", '\ufefffiles = ["a.mp4"]', "Film", ["a.mp4"]),
        ("a\udcff/Film\udcff.title.toml", 'files = ["a.mp4"]', "Film\ufffd", ["a\udcff/a.mp4"]),
    ],
)
def test_valid_title_files_are_read(name: str, text: str, title: str, files: list[str]) -> None:
    assert read_title(name, text.encode()) == (title, tuple(files))


BAD = [
    (b"", "list of 1 to"),
    (b"files = []", "list of 1 to"),
    (b'files = "a.mp4"', "list of 1 to"),
    (b"files = {a = 1}", "list of 1 to"),
    (b"files = [" + b'"a.mp4",' * (MAX_VERSIONS + 1) + b"]", "list of 1 to"),
    (b"files = [1]", "list of strings"),
    (b'files = [["a.mp4"]]', "list of strings"),
    (b'file = ["a.mp4"]', "not file"),
    (b'files = ["a.mp4"]\nwidth = 3', "not width"),
    (b'files = ["a.mp4"]\ntitle = 3', "its title"),
    (b'files = ["a.mp4"]\ntitle = " "', "its title"),
    (b'files = ["a.mp4"]\ntitle = "a\\u0000b"', "its title"),
    (b'files = ["a.mp4"]\ntitle = "a\\nb"', "its title"),
    (b'files = ["a.mp4"]\ntitle = "' + b"x" * 501 + b'"', "its title"),
    (b'files = ["../a.mp4"]', "not in its folder"),
    (b'files = ["x/../../a.mp4"]', "not in its folder"),
    (b'files = ["././a.mp4"]', "not in its folder"),
    (b'files = ["x/./a.mp4"]', "not in its folder"),
    (b'files = [".//a.mp4"]', "not in its folder"),
    (b'files = ["./"]', "not in its folder"),
    (b'files = ["/etc/a.mp4"]', "not in its folder"),
    (b'files = ["x//a.mp4"]', "not in its folder"),
    (b'files = [".hidden.mp4"]', "hidden"),
    (b'files = ["a\\u0000.mp4"]', "not in its folder"),
    (b"files = ['..\\a.mp4']", "hidden"),
    (b'files = [""]', "not in its folder"),
    (b'files = ["' + b"a/" * 2048 + b'a.mp4"]', "not in its folder"),
    (b'files = ["passwd"]', "suffix"),
    (b'files = ["Other.title.toml"]', "suffix"),
    (b'files = ["a.mp4"', "not TOML"),
    (b'files = ["a.mp4"]\nfiles = ["b.mp4"]', "not TOML"),
    (b"files = [\xff]", "not UTF-8"),
    (b"title = " + b"9" * 5000, "not TOML"),
    (b"title = " + b"[" * (LARGEST - 10), "nested"),
    (b"title = " + b"{a=" * 2500, "nested"),
    (b"#" * (LARGEST + 1), "larger"),
]


@pytest.mark.parametrize(("text", "reason"), BAD, ids=range(len(BAD)))
def test_invalid_title_files_are_refused(text: bytes, reason: str) -> None:
    with pytest.raises(InvalidTitleFile, match=reason):
        read_title("Film.title.toml", text)


@pytest.mark.parametrize(
    ("text", "times"),
    [
        # The time of these two grows with the square of their parts, so the limit bounds it.
        pytest.param(b".".join([b"a"] * (LARGEST // 2 - 2)) + b"=1", 100, id="dotted"),
        pytest.param(b"[" + b".".join([b"a"] * (LARGEST // 2 - 2)) + b"]", 12, id="table"),
        pytest.param(b"".join(b"a.b%d=1\n" % number for number in range(700)), 4, id="keys"),
        pytest.param(b"x = [" * 1500, 4, id="arrays"),
        pytest.param(b"[[a]]\n" * 1350, 4, id="tables"),
    ],
)
def test_hostile_text_costs_little(text: bytes, times: float) -> None:
    """Compared with as many bytes of ordinary text, up to the limit."""
    plain = b"".join(b"a%04d=1\n" % number for number in range(1000))
    assert len(plain) == 8000
    assert len(text) <= LARGEST

    def refuse(text: bytes) -> None:
        with pytest.raises(InvalidTitleFile):
            read_title("Film.title.toml", text)

    assert_costs(times, lambda: refuse(text), lambda: refuse(plain))


PIECES = [*"ab./\\[]={},\"' \n#1", "files", "title", ".mp4", "..", "\0"]
TEXT = st.lists(st.sampled_from(PIECES), max_size=40).map("".join)
NAMED = st.lists(st.lists(st.sampled_from(["a", ".", "..", "/", "\\", "m.mp4"]), max_size=6).map("".join))


@given(TEXT | NAMED.map(lambda names: f"files = {json.dumps(names)}"))
def test_any_title_file_is_refused_or_lists_files_below(text: str) -> None:
    try:
        title, files = read_title("x/y.title.toml", text.encode())
    except InvalidTitleFile:
        return
    assert title.strip()
    assert 1 <= len(files) <= MAX_VERSIONS
    for name in files:
        assert is_plain(name)
        assert name.startswith("x/")
        assert media_type(name) is not None
        assert os.path.normpath(name) == name


def test_new_changed_and_removed_title_files_are_found(tmp_path: Path) -> None:
    root = tmp_path / "videos"
    (root / "x").mkdir(parents=True)
    (root / "x" / "a.title.toml").write_text('files = ["a.mp4"]')
    (root / "x" / "b.title.toml").write_text("files = 1")
    (root / "x" / "notes.toml").write_text("files = 1")
    (root / "x" / "folder.title.toml").mkdir()
    found, gone = changed_title_files(str(root), read_folder(str(root), "x"), {})
    assert [(each.name, each.files, each.reason is None) for each in found] == [
        ("x/a.title.toml", ("x/a.mp4",), True),
        ("x/b.title.toml", (), False),
    ]
    assert gone == []
    recorded = {each.name: each.signature for each in found} | {"x/c.title.toml": "1"}
    assert changed_title_files(str(root), read_folder(str(root), "x"), recorded) == ([], ["x/c.title.toml"])
    (root / "x" / "b.title.toml").write_text('title = "B"\nfiles = ["b.mp4"]')
    found, _ = changed_title_files(str(root), read_folder(str(root), "x"), recorded)
    assert [(each.name, each.title) for each in found] == [("x/b.title.toml", "B")]


def test_links_out_of_the_library_are_not_read(tmp_path: Path) -> None:
    root = tmp_path / "videos"
    root.mkdir()
    (tmp_path / "outside.title.toml").write_text('files = ["a.mp4"]')
    (root / "a.title.toml").symlink_to(tmp_path / "outside.title.toml")
    (root / "b.title.toml").symlink_to("/dev/zero")
    os.mkfifo(root / "c.title.toml")
    assert changed_title_files(str(root), read_folder(str(root), ""), {}) == ([], [])


def test_the_number_of_title_files_is_bounded(tmp_path: Path) -> None:
    for number in range(MAX_TITLE_FILES + 5):
        (tmp_path / f"{number:04}.title.toml").write_text('files = ["a.mp4"]')
    found, _ = changed_title_files(str(tmp_path), read_folder(str(tmp_path), ""), {})
    assert len(found) == MAX_TITLE_FILES
