"""The docs match the code: layers and contracts as in pyproject.toml, and only files, modules and links that exist."""

import ast
import re
import subprocess
import tokenize
import tomllib
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PRODUCT = ROOT / "trio_stream"
CODE = re.compile(r"`([^`\n]+)`")

FILE = re.compile(r"[\w.*{},/-]+\.(py|ts|tsx|css|md)")
"""A file of the repository, by its whole path or the end of it."""

FOLDER = re.compile(r"[\w-]+(/[\w*{},-]+)+/?")
"""A package or a script, if it begins with the name of one. `audio/mp4` does not."""

DOTTED = re.compile(r"\btrio_stream(?:\.[A-Za-z_]\w*)+")

OTHERS = {"trio_stream/player/dist", "trio_stream.toml"}
"""Files that are built, or written by operators."""


def _contracts() -> list[dict[str, object]]:
    found = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    assert isinstance(found, list)
    return found


def _layers(contract: dict[str, object]) -> list[set[str]]:
    """The names in each layer of a contract, without their package."""
    layers = contract["layers"]
    assert isinstance(layers, list)
    return [{name.strip().removeprefix("trio_stream.") for name in layer.split("|")} for layer in layers]


def _tracked() -> frozenset[str]:
    """All files and folders of the repository."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True
    )
    files = {line for line in listed.stdout.decode().splitlines() if (ROOT / line).exists()}
    return frozenset(files | {str(folder) for file in files for folder in Path(file).parents})


@pytest.fixture(scope="module")
def endings() -> frozenset[str]:
    """Every path of the repository, and every end of one: `mp4/boxes.py` of `trio_stream/mp4/boxes.py`."""
    parts = [path.split("/") for path in _tracked()]
    return frozenset("/".join(names[start:]) for names in parts for start in range(len(names)))


def _rows() -> list[tuple[set[str], str]]:
    """The rows of the table of layers: the names in a layer, and the text about its inner packages."""
    text = (ROOT / "docs/architecture.md").read_text()
    table = text.partition("| Layer | Inner packages |")[2].partition("\n\n")[0]
    rows = [line.split("|")[1:3] for line in table.splitlines()[2:]]
    return [(set(CODE.findall(layer)), inner) for layer, inner in rows]


def test_the_table_of_layers_matches_the_contract() -> None:
    named = [names for names, _ in _rows() if names]
    assert named == _layers(_contracts()[0])


def test_every_package_is_in_a_layer() -> None:
    packages = {path.parent.name for path in PRODUCT.glob("*/__init__.py")}
    assert packages <= set().union(*(names for names, _ in _rows()))


def test_inner_packages_match_the_contracts() -> None:
    documented: dict[str, list[set[str]]] = {}
    for names, inner in _rows():
        package = re.match(r" `(\w+)`: ", inner)
        if not inner.strip():
            continue
        own = package.group(1) if package else next(iter(names))
        separator = ";" if ";" in inner else ","
        documented[own] = [set(CODE.findall(layer)) - {own} for layer in inner.split(separator)]
    within = {}
    for contract in _contracts():
        if "containers" in contract:
            containers = contract["containers"]
            assert isinstance(containers, list)
            (container,) = containers
            within[container.removeprefix("trio_stream.")] = _layers(contract)
    assert documented == within


def test_contracts_are_named() -> None:
    text = (ROOT / "docs/architecture.md").read_text()
    listed = re.findall(r'^- "(.+)"$', text, re.MULTILINE)
    assert listed == [contract["name"] for contract in _contracts() if "containers" not in contract]


def _documents() -> Iterator[tuple[str, str]]:
    """Each document, and the docstrings and comments of each module, with its path."""
    for pattern in ("docs/**/*.md", "README*.md", "CONTRIBUTING.md"):
        for path in sorted(ROOT.glob(pattern)):
            yield str(path.relative_to(ROOT)), path.read_text()
    for path in sorted(PRODUCT.rglob("*.py")):
        if "node_modules" not in path.parts:
            yield str(path.relative_to(ROOT)), "\n".join(_prose(path))


def _prose(module: Path) -> Iterator[str]:
    """The docstrings of a module, including those below names, and its comments."""
    source = module.read_bytes()
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Expr(value=ast.Constant(value=str(text))):
                yield text
    for token in tokenize.tokenize(BytesIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.string


def _missing(text: str, endings: frozenset[str]) -> list[str]:
    """The paths and modules named in a text that do not exist."""
    named = CODE.findall(text)
    files = [name for name in named if FILE.fullmatch(name)]
    first = {path.name for path in PRODUCT.iterdir() if path.is_dir()} | {
        "docs",
        "scripts",
        "tests",
        "trio_stream",
    }
    folders = [
        name
        for name in named
        if FOLDER.fullmatch(name) and not FILE.fullmatch(name) and name.partition("/")[0] in first
    ]
    paths = [name for name in (*files, *folders) if name.removesuffix("/") not in endings]
    modules = [name for name in DOTTED.findall(text) if not _exists(name)]
    return [name for name in paths + modules if name not in OTHERS]


def _exists(name: str) -> bool:
    """Whether a dotted name is a module, or something in a module."""
    path = ROOT / name.replace(".", "/")
    if path.is_dir() or path.with_suffix(".py").is_file():
        return True
    module, _, thing = name.rpartition(".")
    inside = ROOT / module.replace(".", "/")
    source = inside / "__init__.py" if inside.is_dir() else inside.with_suffix(".py")
    return source.is_file() and re.search(rf"\b{thing}\b", source.read_text()) is not None


def test_named_paths_and_modules_exist(endings: frozenset[str]) -> None:
    found = {path: missing for path, text in _documents() if (missing := _missing(text, endings))}
    assert found == {}


@pytest.mark.parametrize(
    "text",
    [
        "`web/asgi.py`",
        "`trio_stream/server/h2*.py`",
        "`server/nowhere`",
        "`tests/nowhere`",
        "see trio_stream.web.old.thing",
    ],
)
def test_a_missing_path_or_module_is_found(text: str, endings: frozenset[str]) -> None:
    assert len(_missing(text, endings)) == 1


@pytest.mark.parametrize(
    "text",
    [
        "`mp4/boxes.py`",
        "`server/sending`",
        "`scripts/test`",
        "`audio/mp4`",
        "`trio_stream.app:app`",
        "`<a.py>`",
    ],
)
def test_an_existing_path_or_other_text_is_not_reported(text: str, endings: frozenset[str]) -> None:
    assert _missing(text, endings) == []


def test_links_have_targets() -> None:
    broken = []
    for name, text in _documents():
        if not name.endswith(".md"):
            continue
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            if "://" in target or target.startswith("<"):
                continue
            path, _, anchor = target.partition("#")
            document = (ROOT / name).parent / path if path else ROOT / name
            if not document.exists() or (anchor and anchor not in _anchors(document)):
                broken.append((name, target))
    assert broken == []


def _anchors(document: Path) -> set[str]:
    """The anchors of the headings of a document, in GitHub's form."""
    headings = re.findall(r"^#+ (.+)$", document.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
