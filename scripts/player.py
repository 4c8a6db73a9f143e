"""Builds the player (`trio_stream/player`) on a machine that has only Python, and only when it has changed.

Invariant: `dist` is a whole build or is not there. It is made beside its place and renamed into it, and the stamp in
it is a hash of all it was made from, so a look at the files tells whether there is anything to do: no Node, no network.

`scripts/player` runs this in the project's environment; so do `scripts/serve`, `scripts/test` and `wheel_hook.py`.
"""

import fcntl
import hashlib
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))  # which an isolated Python leaves out

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
    remove_left,
    run,
    say,
    wanted_by,
)

if TYPE_CHECKING:
    import argparse

# What costs time to import is imported where it is needed: most starts find that nothing is to be done.

DIST = os.path.join(PLAYER, "dist")
MODULES = os.path.join(PLAYER, "node_modules")
TYPES = os.path.join(PLAYER, "src", "api", "schema.d.ts")

FORMAT = b"1"
"""Changes when this module makes something else of the same sources."""

BUILDING = ("vite", "rolldown", "@vitejs/plugin-react")
TESTING = (*BUILDING, "vitest", "jsdom")
"""Packages whose `engines.node` a Node has to satisfy."""

TEXT = (".css", ".html", ".js", ".json", ".map", ".mjs", ".svg", ".txt", ".wasm", ".webmanifest")
"""Suffixes of what gets smaller when compressed."""

PATIENCE = ("--fetch-retries=1", "--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=5000")
"""For npm: a server that starts without a network should not wait minutes for its player."""


def is_fresh() -> bool:
    """Whether `dist` was made of the sources as they are."""
    try:
        with open(os.path.join(DIST, STAMP), encoding="ascii") as file:
            return file.read() == stamp()
    except OSError:
        return False


def stamp() -> str:
    """A hash of all that a build is made from: sources, package files, configuration; tests do not count."""
    found = hashlib.blake2b(FORMAT, digest_size=16)
    for path in sorted(_sources(PLAYER)):
        with open(path, "rb") as file:
            content = file.read()
        found.update(b"%s\0%d\0" % (os.fsencode(os.path.relpath(path, PLAYER)), len(content)))
        found.update(content)
    return found.hexdigest()


def _sources(folder: str) -> Iterator[str]:
    for entry in os.scandir(folder):
        if entry.name.startswith(".") or entry.path in (DIST, MODULES):
            continue
        if entry.is_dir():
            yield from _sources(entry.path)
        elif ".test." not in entry.name:
            yield entry.path


def build() -> bool:
    """Build `dist` unless it is fresh, and answer whether that was needed. Raises `PlayerError`."""
    if is_fresh():
        return False
    import shutil  # noqa: PLC0415
    import tempfile  # noqa: PLC0415

    with _alone():
        if is_fresh():  # somebody else has built it meanwhile
            return False
        made_from = stamp()
        node = _prepare(BUILDING)
        say("Building the player")
        remove_left(PLAYER, ".dist-")
        work = tempfile.mkdtemp(prefix=".dist-", dir=PLAYER)
        try:
            new = os.path.join(work, "new")
            run("vite build", node, _tool(node, "vite"), "build", "--outDir", new, "--emptyOutDir")
            _compress(os.path.join(new, "assets"))
            with open(os.path.join(new, STAMP), "w", encoding="ascii") as file:
                file.write(made_from)
            if os.path.lexists(DIST):
                os.rename(DIST, os.path.join(work, "old"))
            os.rename(new, DIST)
        except OSError as error:
            raise PlayerError(f"the player could not be written: {error}") from error
        finally:
            shutil.rmtree(work, ignore_errors=True)
    return True


def _compress(folder: str) -> None:
    """Put a `.gz` beside each file that is smaller then; the same bytes each time."""
    import gzip  # noqa: PLC0415

    for name in os.listdir(folder):
        path = os.path.join(folder, name)
        if name.endswith(TEXT):
            with open(path, "rb") as file:
                content = file.read()
            packed = gzip.compress(content, mtime=0)
            if len(packed) < len(content):
                with open(f"{path}.gz", "wb") as file:
                    file.write(packed)


def node_is_needed() -> bool:
    """Whether a build here would need the Node of the PyPI package."""
    return not is_fresh() and node_in_path(wanted_by(BUILDING)) is None


def _prepare(tools: Sequence[str]) -> Node:
    """A Node that `tools` run on, and `node_modules` as the lock file has it. Only `_alone`."""
    node = find_node(wanted_by(tools))
    digest = hashlib.blake2b(sys.platform.encode() + os.uname().machine.encode(), digest_size=16)
    for name in ("package.json", "package-lock.json"):
        with open(os.path.join(PLAYER, name), "rb") as file:
            digest.update(file.read())
    installed = os.path.join(MODULES, STAMP)
    if read(installed) != digest.hexdigest():
        say("Installing what the player is built with")
        # It empties the folder first, so that the stamp is there only after one that went through.
        run("npm ci", node, *node.npm, "ci", "--ignore-scripts", "--prefer-offline", *PATIENCE)
        with open(installed, "w", encoding="ascii") as file:
            file.write(digest.hexdigest())
    return node


def _tool(node: Node, name: str) -> tuple[str, str]:
    return node.node, os.path.join(MODULES, ".bin", name)


def types() -> str:
    """What `src/api/schema.d.ts` has to be: the schemas of the server's description, without their prose."""
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
    with _alone():
        node = _prepare(BUILDING)
    with tempfile.TemporaryDirectory() as work:
        with open(os.path.join(work, "openapi.json"), "w", encoding="utf-8") as file:
            json.dump(bare, file)
        made = os.path.join(work, "schema.d.ts")
        command = (*_tool(node, "openapi-typescript"), file.name, "-o", made)
        run("openapi-typescript", node, *command)
        with open(made, encoding="utf-8") as file:
            return file.read()


def _without_prose(value: Any) -> Any:
    # A property may have such a name as well; what it says is an object then.
    if isinstance(value, dict):
        prose = ("description", "examples", "example", "title")
        return {
            key: _without_prose(each)
            for key, each in value.items()
            if key not in prose or isinstance(each, dict)
        }
    return [_without_prose(each) for each in value] if isinstance(value, list) else value


def _write_types(*, only_check: bool) -> int:
    wanted = types()
    if wanted == read(TYPES):
        return 0
    if only_check:
        say("src/api/schema.d.ts is not what the server describes; 'scripts/player types' writes it anew")
        return 1
    with open(TYPES, "w", encoding="utf-8") as file:
        file.write(wanted)
    return 0


@contextmanager
def _alone() -> Iterator[None]:
    """Nobody else builds or installs while this lasts; the lock ends with its process."""
    fd = os.open(PLAYER, os.O_RDONLY)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


def _become(node: Node, *command: str) -> NoReturn:
    """Let this process be that program, so that it has the terminal and gets the signals."""
    os.chdir(PLAYER)
    sys.stdout.flush()
    os.execvpe(command[0], command, node.environ)


def _arguments(words: Sequence[str]) -> "argparse.Namespace":
    import argparse  # noqa: PLC0415

    parser = argparse.ArgumentParser(prog="scripts/player", description="Work on the player.")
    commands = parser.add_subparsers(dest="command", required=True)
    building = commands.add_parser("build", help="build it, if it has changed")
    building.add_argument("--brief", action="store_true", help="of a failure, say one line")
    commands.add_parser("check", help="check the types of its sources")
    commands.add_parser("test", help="run its tests; arguments go to vitest", add_help=False)
    writing = commands.add_parser("types", help="write src/api/schema.d.ts from the server's description")
    writing.add_argument("--check", action="store_true", help="only fail if it is another")
    commands.add_parser("npm", help="run npm for it: scripts/player npm run dev", add_help=False)
    commands.add_parser("install", help="only install what it needs, and a Node in .cache")
    passed_on = words[1:] if words[:1] in (["test"], ["npm"]) else []
    known = parser.parse_args(words[: len(words) - len(passed_on)])
    known.rest = passed_on
    return known


def _do(asked: "argparse.Namespace") -> int:
    match asked.command:
        case "build":
            build()
        case "types":
            return _write_types(only_check=asked.check)
        case "install":
            with _alone():
                fetch_node()
                _prepare(TESTING)
        case command:
            with _alone():
                node = _prepare(TESTING if command == "test" else BUILDING)
            if command == "npm":
                _become(node, *node.npm, *asked.rest)
            tool = ("tsc", "--noEmit") if command == "check" else ("vitest", "run", *asked.rest)
            _become(node, *_tool(node, tool[0]), *tool[1:])
    return 0


def main(words: Sequence[str]) -> int:
    """Do what is asked, and answer the exit code."""
    if (
        words in (["build"], ["build", "--brief"]) and is_fresh()
    ):  # at each start of a server: so without what follows
        return 0
    asked = _arguments(words)
    try:
        return _do(asked)
    except PlayerError as error:
        if getattr(asked, "brief", False):
            about = "the server starts without a new one; 'scripts/player build' says more"
            say(f"The player could not be built ({error}): {about}")
        else:
            say(f"{error.output}The player: {error}")
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
