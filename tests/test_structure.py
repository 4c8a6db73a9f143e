"""The structure of the code: packages are small, and imports have no cycles."""

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MAX_MODULES = 15


def _modules() -> dict[str, Path]:
    """All modules of the product by name. A package is its `__init__`."""
    return {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
        for path in (ROOT / "trio_stream").rglob("*.py")
        if "node_modules" not in path.parts
    }


def _imported(tree: ast.Module, modules: dict[str, Path]) -> Iterator[str]:
    """The modules of the product that a module imports, anywhere: also for types only, or within a function."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in modules)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute here"
            for alias in node.names:
                inside = f"{node.module}.{alias.name}"
                if inside in modules:
                    yield inside
                elif node.module in modules:
                    yield node.module


def _cycle(imports: dict[str, set[str]]) -> list[str]:
    """The names along one cycle, or an empty list."""
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_imports_have_no_cycles() -> None:
    modules = _modules()
    imports = {
        name: {*_imported(ast.parse(path.read_text()), modules)} - {name} for name, path in modules.items()
    }
    assert "trio_stream.app" in imports["trio_stream.console"], "imports within functions count too"
    assert _cycle(imports) == []


@pytest.mark.parametrize(
    "source",
    [
        "from one import two",
        "import one.two",
        "from one.two import Something",
        "if TYPE_CHECKING:\n    from one import two",
        "def later():\n    from one.two import Something",
    ],
)
def test_every_kind_of_import_counts(source: str) -> None:
    modules = {"one": Path("one/__init__.py"), "one.two": Path("one/two.py")}
    assert [*_imported(ast.parse(source), modules)] == ["one.two"]
    assert _cycle({"one.two": {"three"}, "three": {"one.two"}, "four": {"three"}}) != []


def test_packages_are_small() -> None:
    sizes = {
        str(folder.relative_to(ROOT)): sum(path.name != "__init__.py" for path in folder.glob("*.py"))
        for folder in [ROOT / "trio_stream", *(ROOT / "trio_stream").rglob("*/")]
        if "node_modules" not in folder.parts
    }
    assert {package: size for package, size in sizes.items() if size > MAX_MODULES} == {}
