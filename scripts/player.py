"""Builds the player (`trio_stream/player`) on a machine that has only Python, if the player has changed.

Invariant: `dist` is a complete build or does not exist. It is built under another name and then renamed. Its stamp is a
hash of everything that it was built from, so reading files shows whether a build is needed, without Node or network.

`scripts/player` runs this in the project's environment; so do `scripts/serve`, `scripts/test` and `wheel_hook.py`.
"""

import fcntl
import hashlib
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))  # an isolated Python does not have it

from node import (
    PLAYER,
    ROOT,
    STAMP,
    Node,
    PlayerError,
    fetch_node,
    find_node,
    node_in_path,
    read,
    remove_leftovers,
    required_by,
    run,
    say,
)

if TYPE_CHECKING:
    import argparse

# Slow imports are made where they are needed, because most starts find that there is nothing to do.

DIST = os.path.join(PLAYER, "dist")
MODULES = os.path.join(PLAYER, "node_modules")
TYPES = os.path.join(PLAYER, "src", "api", "schema.d.ts")

FORMAT = b"1"
"""Changes when this module builds something else from the same sources."""

BUILDING = ("vite", "rolldown", "@vitejs/plugin-react")
TESTING = (*BUILDING, "vitest", "jsdom")
"""Packages whose `engines.node` the Node must satisfy."""

COMPRESSIBLE = (".css", ".html", ".js", ".json", ".map", ".mjs", ".svg", ".txt", ".wasm", ".webmanifest")
"""Suffixes of files that get smaller when compressed."""

NPM_TIMEOUTS = ("--fetch-retries=1", "--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=5000")
"""Options of npm, so that a server that starts without a network does not wait minutes for its player."""


def is_fresh() -> bool:
    """Whether `dist` was built from the current sources."""
    try:
        with open(os.path.join(DIST, STAMP), encoding="ascii") as file:
            return file.read() == stamp()
    except OSError:
        return False


def stamp() -> str:
    """A hash of everything that a build depends on: sources, package files and configuration, without tests."""
    digest = hashlib.blake2b(FORMAT, digest_size=16)
    for path in sorted(_sources(PLAYER)):
        with open(path, "rb") as file:
            content = file.read()
        digest.update(b"%s\0%d\0" % (os.fsencode(os.path.relpath(path, PLAYER)), len(content)))
        digest.update(content)
    return digest.hexdigest()


def _sources(folder: str) -> Iterator[str]:
    for entry in os.scandir(folder):
        if entry.name.startswith(".") or entry.path in (DIST, MODULES):
            continue
        if entry.is_dir():
            yield from _sources(entry.path)
        elif ".test." not in entry.name:
            yield entry.path


def build() -> bool:
    """Build `dist` unless it is fresh, and return whether that was needed. Raises `PlayerError`."""
    if is_fresh():
        return False
    import shutil  # noqa: PLC0415
    import tempfile  # noqa: PLC0415

    with _locked():
        if is_fresh():  # another process has built it in the meantime
            return False
        sources_stamp = stamp()
        node = _prepare(BUILDING)
        say("Building the player")
        remove_leftovers(PLAYER, ".dist-")
        work = tempfile.mkdtemp(prefix=".dist-", dir=PLAYER)
        try:
            new = os.path.join(work, "new")
            run("vite build", node, _tool(node, "vite"), "build", "--outDir", new, "--emptyOutDir")
            _compress(os.path.join(new, "assets"))
            with open(os.path.join(new, STAMP), "w", encoding="ascii") as file:
                file.write(sources_stamp)
            if os.path.lexists(DIST):
                os.rename(DIST, os.path.join(work, "old"))
            os.rename(new, DIST)
        except OSError as error:
            raise PlayerError(f"the player could not be written: {error}") from error
        finally:
            shutil.rmtree(work, ignore_errors=True)
    return True


def _compress(folder: str) -> None:
    """Write a `.gz` next to each file that gets smaller; the same input gives the same bytes."""
    import gzip  # noqa: PLC0415

    for name in os.listdir(folder):
        path = os.path.join(folder, name)
        if name.endswith(COMPRESSIBLE):
            with open(path, "rb") as file:
                content = file.read()
            compressed = gzip.compress(content, mtime=0)
            if len(compressed) < len(content):
                with open(f"{path}.gz", "wb") as file:
                    file.write(compressed)


def node_is_needed() -> bool:
    """Whether a build here would need the Node of the PyPI package."""
    return not is_fresh() and node_in_path(required_by(BUILDING)) is None


def _prepare(tools: Sequence[str]) -> Node:
    """Find a Node for `tools`, and install `node_modules` as in the lock file. Needs the lock."""
    node = find_node(required_by(tools))
    digest = hashlib.blake2b(sys.platform.encode() + os.uname().machine.encode(), digest_size=16)
    for name in ("package.json", "package-lock.json"):
        with open(os.path.join(PLAYER, name), "rb") as file:
            digest.update(file.read())
    installed = os.path.join(MODULES, STAMP)
    if read(installed) != digest.hexdigest():
        say("Installing the packages that build the player")
        # npm ci empties the folder first, so the stamp exists only after a successful run.
        run("npm ci", node, *node.npm, "ci", "--ignore-scripts", "--prefer-offline", *NPM_TIMEOUTS)
        with open(installed, "w", encoding="ascii") as file:
            file.write(digest.hexdigest())
    return node


def _tool(node: Node, name: str) -> tuple[str, str]:
    return node.node, os.path.join(MODULES, ".bin", name)


def types() -> str:
    """The right content of `src/api/schema.d.ts`: the schemas of the API description, without their prose."""
    import json  # noqa: PLC0415
    import tempfile  # noqa: PLC0415

    sys.path.insert(0, ROOT)
    from trio_stream.web.openapi.document import document  # noqa: PLC0415

    described = document()
    bare = {
        "openapi": described["openapi"],
        "info": {"title": "Trio Stream", "version": "1"},
        "paths": {},
        "components": {"schemas": _without_prose(described["components"]["schemas"])},
    }
    with _locked():
        node = _prepare(BUILDING)
    with tempfile.TemporaryDirectory() as work:
        with open(os.path.join(work, "openapi.json"), "w", encoding="utf-8") as file:
            json.dump(bare, file)
        path = os.path.join(work, "schema.d.ts")
        command = (*_tool(node, "openapi-typescript"), file.name, "-o", path)
        run("openapi-typescript", node, *command)
        with open(path, encoding="utf-8") as file:
            return file.read()


def _without_prose(value: Any) -> Any:
    # A property can have such a name too; then its value is an object.
    if isinstance(value, dict):
        prose = ("description", "examples", "example", "title")
        return {
            key: _without_prose(each)
            for key, each in value.items()
            if key not in prose or isinstance(each, dict)
        }
    return [_without_prose(each) for each in value] if isinstance(value, list) else value


def _write_types(*, only_check: bool) -> int:
    current = types()
    if current == read(TYPES):
        return 0
    if only_check:
        say("src/api/schema.d.ts does not match the server's API; run 'scripts/player types'")
        return 1
    with open(TYPES, "w", encoding="utf-8") as file:
        file.write(current)
    return 0


@contextmanager
def _locked() -> Iterator[None]:
    """Hold the lock, so that no other process builds or installs; it is released when the process ends."""
    fd = os.open(PLAYER, os.O_RDONLY)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


def _become(node: Node, *command: str) -> NoReturn:
    """Replace this process with the program, so that it has the terminal and gets the signals."""
    os.chdir(PLAYER)
    sys.stdout.flush()
    os.execvpe(command[0], command, node.environ)


def _arguments(words: Sequence[str]) -> "argparse.Namespace":
    import argparse  # noqa: PLC0415

    parser = argparse.ArgumentParser(prog="scripts/player", description="Work on the player.")
    commands = parser.add_subparsers(dest="command", required=True)
    building = commands.add_parser("build", help="build it if it has changed")
    building.add_argument("--brief", action="store_true", help="print only one line on failure")
    commands.add_parser("check", help="check the types of its sources")
    commands.add_parser("test", help="run its tests; arguments go to vitest", add_help=False)
    writing = commands.add_parser("types", help="write src/api/schema.d.ts from the server's description")
    writing.add_argument("--check", action="store_true", help="only check the file, and fail if it differs")
    commands.add_parser("npm", help="run npm for it: scripts/player npm run dev", add_help=False)
    commands.add_parser("install", help="only install its packages, and a Node in .cache")
    rest = words[1:] if words[:1] in (["test"], ["npm"]) else []
    options = parser.parse_args(words[: len(words) - len(rest)])
    options.rest = rest
    return options


def _run_command(options: "argparse.Namespace") -> int:
    match options.command:
        case "build":
            build()
        case "types":
            return _write_types(only_check=options.check)
        case "install":
            with _locked():
                fetch_node()
                _prepare(TESTING)
        case command:
            with _locked():
                node = _prepare(TESTING if command == "test" else BUILDING)
            if command == "npm":
                _become(node, *node.npm, *options.rest)
            tool = ("tsc", "--noEmit") if command == "check" else ("vitest", "run", *options.rest)
            _become(node, *_tool(node, tool[0]), *tool[1:])
    return 0


def main(words: Sequence[str]) -> int:
    """Run the command, and return the exit code."""
    if (
        words in (["build"], ["build", "--brief"]) and is_fresh()
    ):  # at every start of a server, so without the slow imports
        return 0
    options = _arguments(words)
    try:
        return _run_command(options)
    except PlayerError as error:
        if getattr(options, "brief", False):
            about = "the server starts without a new one; 'scripts/player build' shows details"
            say(f"The player could not be built ({error}): {about}")
        else:
            say(f"{error.output}The player: {error}")
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
