"""Names in the code are the standard terms of `docs/glossary.md`: words that were retired do not come back.

The names are those of functions, classes and modules in Python, and of functions, components, classes, types,
constants and modules in TypeScript. A name is split at underscores and capitals, and a word counts if it is exact.
"""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

RETIRED = {
    "answer": "return, respond, response",
    "answered": "returned, responded",
    "answers": "returns, responses",
    "asked": "requested, request",
    "captions": "subtitles",
    "chore": "job",
    "chores": "jobs",
    "facts": "media_info",
    "keeper": "background_jobs",
    "known": "recorded, cached, supported",
    "looker": "scanner",
    "made": "derived, generated",
    "moments": "timestamps",
    "packing": "compression",
    "patience": "timeout",
    "picture": "frame, video, poster",
    "pictures": "frames, video, artwork",
    "resting": "settling",
    "shelf": "cache",
    "shelves": "caches",
    "sizing": "chunk_size",
    "sound": "audio",
    "sounds": "audio_tracks",
    "stills": "frames, keyframes",
    "texts": "subtitles",
    "told": "reported",
}
"""Words that are not used in names, each with those that are."""

EXCEPTIONS = {
    "PictureInPicture": "the browsers' name for a small window that floats above others (a W3C specification)",
}
"""Names that keep a retired word, each with the reason."""

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_DECLARED = re.compile(r"\b(?:function\*?|class|interface|type|enum|const|let)\s+([A-Za-z_$][\w$]*)")
_COMMENT = re.compile(r"/\*.*?\*/|(?<![:\"'`])//[^\n]*", re.DOTALL)


def _words(name: str) -> list[str]:
    return [word.lower() for word in _WORDS.findall(name)]


def _retired(name: str) -> set[str]:
    return set() if name in EXCEPTIONS else RETIRED.keys() & set(_words(name))


def _python_names(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name


def _typescript_names(source: str) -> Iterator[str]:
    yield from _DECLARED.findall(_COMMENT.sub("", source))


def _is_python(path: Path) -> bool:
    if path.suffix:
        return path.suffix == ".py"
    with path.open("rb") as file:
        return file.readline().startswith(b"#!") and b"python" in path.read_bytes()[:64]


@cache
def _names() -> frozenset[tuple[Path, str]]:
    """All names in the code, each with the file it is in."""
    return frozenset(_read_names())


def _read_names() -> Iterator[tuple[Path, str]]:
    for top in ("trio_stream", "tests", "scripts"):
        for path in (ROOT / top).rglob("*"):
            if not path.is_file() or {"node_modules", "dist", "__pycache__"} & set(path.parts):
                continue
            if path.suffix in {".ts", ".tsx"}:
                found = _typescript_names(path.read_text())
            elif _is_python(path):
                found = _python_names(path.read_text())
            else:
                continue
            module = path.parent.name if path.stem == "__init__" else path.name.split(".")[0]
            for name in (module, *found):
                yield path.relative_to(ROOT), name


def test_names_have_no_retired_words() -> None:
    names = _names()
    assert len(names) > 5000, "the code has been read"
    assert sorted({f"{path}: {name}" for path, name in names if _retired(name)}) == []


def test_each_exception_is_in_use() -> None:
    used = {name for _, name in _names()}
    assert EXCEPTIONS.keys() - used == set()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("keep_facts", {"facts"}),
        ("KnownFolder", {"known"}),
        ("usePictures", {"pictures"}),
        ("MOST_SOUNDS", {"sounds"}),
        ("HTTPAnswer", {"answer"}),
        ("unknown", set()),
        ("Soundness", set()),
        ("PictureInPicture", set()),
    ],
)
def test_words_are_exact(name: str, words: set[str]) -> None:
    assert _retired(name) == words


def test_every_kind_of_name_is_read() -> None:
    python = "class A:\n    async def b(self): ...\n\ndef c():\n    def d(): ..."
    assert {*_python_names(python)} == {"A", "b", "c", "d"}
    typescript = "export function A() {}\nconst b = 1; // const told\ninterface C {}\n/* type made */ type D = C;\nclass E {}"
    assert {*_typescript_names(typescript)} == {"A", "b", "C", "D", "E"}


def test_the_glossary_has_no_retired_words() -> None:
    """Its last column has words that are not used; the first one has the words that are."""
    terms = [
        line.split("|")[1].strip()
        for line in (ROOT / "docs" / "glossary.md").read_text().splitlines()
        if line.startswith("|") and not line.startswith(("| Word", "| ---"))
    ]
    assert len(terms) > 40
    assert [term for term in terms if _retired(term.replace(" ", "_"))] == []
