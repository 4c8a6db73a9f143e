"""The house: rooms are small, and no module imports what imports it."""

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MOST_MODULES = 15


def _modules() -> dict[str, Path]:
    """All modules of the product by name; a package stands for its `__init__`."""
    return {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
        for path in (ROOT / "trio_stream").rglob("*.py")
        if "node_modules" not in path.parts
    }


def _imported(tree: ast.Module, modules: dict[str, Path]) -> Iterator[str]:
    """What a module imports of the product, wherever in it: for types only, or when a function is called."""
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
    """The names along one cycle, or none."""
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_no_module_imports_what_imports_it() -> None:
    modules = _modules()
    imports = {
        name: {*_imported(ast.parse(path.read_text()), modules)} - {name} for name, path in modules.items()
    }
    assert "trio_stream.app" in imports["trio_stream.console"], "within a function, too"
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


def test_rooms_are_small() -> None:
    sizes = {
        str(folder.relative_to(ROOT)): sum(path.name != "__init__.py" for path in folder.glob("*.py"))
        for folder in [ROOT / "trio_stream", *(ROOT / "trio_stream").rglob("*/")]
        if "node_modules" not in folder.parts
    }
    assert {room: size for room, size in sizes.items() if size > MOST_MODULES} == {}
