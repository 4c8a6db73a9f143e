"""A coverage-guided fuzzer for code that reads untrusted files.

It mutates a file from its corpus and passes it to a target. If that reaches a new line, branch or outcome, it adds the
file to the corpus. `sys.monitoring` reports each place once, so the observed code runs at full speed. A finding is an
input that raises any error, takes more than a second of processor time, or uses more memory than its size justifies.
The same seed generates the same inputs in the same order.
"""

import contextlib
import hashlib
import os
import random
import resource
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, FunctionType, ModuleType

from tests.mp4.mutating import LARGEST, Node, Sparse, mutate, walk, write

CPU_LIMIT = 1.0
"""Processor seconds for one input."""

MEMORY_LIMIT = 64 << 20
MEMORY_PER_BYTE = 16
"""Bytes of memory for one input, and for each of its bytes."""

LARGEST_FILE = 8 << 20
"""Including its holes."""

MAX_CORPUS = 4000
"""Inputs in the corpus."""

type Target = Callable[[int, int], object]
"""Reads an open file of the given size; returns a hashable outcome. An input with a new outcome is added to the corpus."""


class TooSlowError(BaseException):
    """The time limit was exceeded. Not an `Exception`, so that the target does not catch it."""


@dataclass(frozen=True)
class Finding:
    """What went wrong, where, and the input that caused it."""

    title: str
    detail: str
    sparse: Sparse


@dataclass
class Figures:
    """The statistics of a run: inputs, places and outcomes that were reached, inputs in the corpus."""

    runs: int = 0
    seeds: int = 0
    places: int = 0
    outcomes: int = 0
    corpus: int = 0
    slowest: float = 0.0
    seconds: float = 0.0
    findings: list[Finding] = field(default_factory=list)


# --- Coverage ---------------------------------------------------------------------------------------


class Coverage:
    """The lines and branches of some modules that have been run; `seen` only grows."""

    TOOL = 4

    def __init__(self, modules: Iterable[ModuleType]) -> None:
        self.seen: set[tuple[int, int, int]] = set()
        self._ways: dict[tuple[int, int], set[int]] = {}
        self._sided = hasattr(sys.monitoring.events, "BRANCH_LEFT")
        self._codes = {code for module in modules for code in _codes(module)}
        self._numbers = {code: number for number, code in enumerate(sorted(self._codes, key=_name))}

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Record during the block."""
        monitoring = sys.monitoring
        events = monitoring.events
        left = getattr(events, "BRANCH_LEFT", events.BRANCH)
        right = getattr(events, "BRANCH_RIGHT", events.BRANCH)
        monitoring.use_tool_id(self.TOOL, "fuzzing")
        monitoring.register_callback(self.TOOL, events.LINE, self._line)
        monitoring.register_callback(self.TOOL, left, self._branch)
        monitoring.register_callback(self.TOOL, right, self._branch)
        for code in self._codes:
            monitoring.set_local_events(self.TOOL, code, events.LINE | left | right)
        try:
            yield
        finally:
            for code in self._codes:
                monitoring.set_local_events(self.TOOL, code, 0)
            monitoring.free_tool_id(self.TOOL)

    def _line(self, code: CodeType, line: int) -> object:
        self.seen.add((self._numbers[code], line, -1))
        return sys.monitoring.DISABLE

    def _branch(self, code: CodeType, at: int, to: int) -> object:
        number = self._numbers[code]
        self.seen.add((number, at, to))
        ways = self._ways.setdefault((number, at), set())
        ways.add(to)
        return sys.monitoring.DISABLE if self._sided or len(ways) > 1 else None


def _codes(module: ModuleType) -> set[CodeType]:
    """All code that is defined in a module."""
    values = list(vars(module).values())
    for value in vars(module).values():
        if isinstance(value, type) and value.__module__ == module.__name__:
            values += vars(value).values()
    tops = {function.__code__ for function in map(_function, values) if function is not None}
    return {code for top in tops if top.co_filename == module.__file__ for code in _nested(top)}


def _function(value: object) -> FunctionType | None:
    """The function behind a method, a property or another descriptor."""
    for name in ("fget", "__func__", "func"):
        value = getattr(value, name, value)
    return value if isinstance(value, FunctionType) else None


def _nested(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _nested(constant)


def _name(code: CodeType) -> tuple[str, int, str]:
    return code.co_filename, code.co_firstlineno, code.co_qualname


# --- One input ------------------------------------------------------------------------------------------


class Runner:
    """Runs a target with inputs, and limits their time and memory."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._page = resource.getpagesize()
        self.seconds = 0.0
        """The processor time of the last input."""

    def run(self, sparse: Sparse) -> object:
        """Run one input; returns its outcome. Any error it raises is a finding."""
        with _opened(sparse) as fd, self._limits(sparse.size):
            return self._target(fd, sparse.size)

    @contextmanager
    def _limits(self, size: int) -> Iterator[None]:
        memory = MEMORY_LIMIT + MEMORY_PER_BYTE * size
        before = resource.getrlimit(resource.RLIMIT_AS)
        if sys.platform == "linux":
            taken = int(Path("/proc/self/statm").read_bytes().split()[0]) * self._page
            resource.setrlimit(resource.RLIMIT_AS, (taken + memory, before[1]))
        old = signal.signal(signal.SIGPROF, _over)
        began = time.process_time()
        signal.setitimer(signal.ITIMER_PROF, CPU_LIMIT)
        try:
            yield
            signal.setitimer(signal.ITIMER_PROF, 0)
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
            resource.setrlimit(resource.RLIMIT_AS, before)
            self.seconds = time.process_time() - began
            signal.signal(signal.SIGPROF, old)
        if self.seconds > CPU_LIMIT:
            raise TooSlowError


def _over(_signal: int, _frame: object) -> None:
    raise TooSlowError


@contextmanager
def _opened(sparse: Sparse) -> Iterator[int]:
    """A descriptor of the file, which exists only in memory if possible."""
    with contextlib.ExitStack() as stack:
        if hasattr(os, "memfd_create"):
            fd = os.memfd_create("fuzzing")
            stack.callback(os.close, fd)
        else:
            fd = stack.enter_context(tempfile.TemporaryFile()).fileno()
        os.ftruncate(fd, sparse.size)
        for at, data in sparse.parts:
            os.pwrite(fd, data, at)
        yield fd


# --- Many inputs ---------------------------------------------------------------------------------------


class Fuzzer:
    """Generates inputs from `seeds` and runs a target with them, until it is stopped."""

    def __init__(
        self, target: Target, modules: Iterable[ModuleType], seeds: Sequence[list[Node]], seed: int
    ) -> None:
        self.figures = Figures(seeds=len(seeds))
        self._runner = Runner(target)
        self._coverage = Coverage(modules)
        self._seeds = seeds
        self._chance = random.Random(seed)
        self._corpus: list[list[Node]] = []
        self._outcomes: set[object] = set()
        self._titles: set[str] = set()

    def run(
        self, seconds: float, *, max_findings: int = 20, report: Callable[[Figures], None] = lambda _: None
    ) -> Figures:
        """Run for the given time, or until the given number of different findings."""
        figures, began = self.figures, time.monotonic()
        with self._coverage.watching():
            for nodes in self._seeds:
                self._try(nodes, always=True)
            while len(figures.findings) < max_findings and time.monotonic() - began < seconds:
                self._try(self._mutated())
                if figures.runs % 100 == 0:
                    figures.seconds = time.monotonic() - began
                    report(figures)
        figures.seconds = time.monotonic() - began
        return figures

    def _mutated(self) -> list[Node]:
        """Mutate an input from the corpus. Recent ones are chosen more often."""
        corpus, chance = self._corpus, self._chance
        place = (
            chance.randrange(len(corpus))
            if chance.random() < 0.5
            else max(0, len(corpus) - 1 - int(chance.expovariate(0.02)))
        )
        nodes = [node.copy() for node in corpus[place]]
        mutate(nodes, corpus, chance)
        return nodes

    def _try(self, nodes: list[Node], *, always: bool = False) -> None:
        sparse = write(nodes)
        if sparse.stored > LARGEST or sparse.size > LARGEST_FILE:
            if not always:
                return
            for siblings, number in walk(nodes):
                siblings[number].hole = min(siblings[number].hole, 1 << 20)
            sparse = write(nodes)
        figures, before = self.figures, len(self._coverage.seen)
        figures.runs += 1
        outcome: object = None
        try:
            outcome = self._runner.run(sparse)
        except (Exception, TooSlowError) as error:  # noqa: BLE001 - every error is a finding
            self._found(error, sparse)
        figures.slowest = max(figures.slowest, self._runner.seconds)
        new = len(self._coverage.seen) > before or outcome not in self._outcomes
        self._outcomes.add(outcome)
        if always or (new and len(self._corpus) < MAX_CORPUS):
            self._corpus.append(nodes)
        figures.corpus, figures.places, figures.outcomes = (
            len(self._corpus),
            len(self._coverage.seen),
            len(self._outcomes),
        )

    def _found(self, error: BaseException, sparse: Sparse) -> None:
        frames = traceback.extract_tb(error.__traceback__)
        ours = [frame for frame in frames if "trio_stream" in frame.filename]
        last = ours[-1] if ours and not isinstance(error, AssertionError) else frames[-1]
        where = f"{Path(last.filename).name}, {last.name}, line {last.lineno}"
        what = {
            MemoryError: f"more than {MEMORY_LIMIT >> 20} MiB and {MEMORY_PER_BYTE} times its size of memory",
            TooSlowError: f"more than {CPU_LIMIT:g} s of the processor",
        }.get(type(error), f"{type(error).__name__}: {error}")
        key = f"{type(error).__name__} {where}"
        if key not in self._titles:
            self._titles.add(key)
            detail = "".join(traceback.format_exception(error))
            self.figures.findings.append(Finding(f"{what} ({where})", detail, sparse))


def save(sparse: Sparse, folder: Path) -> Path:
    """Save an input as a file; its holes take no space."""
    folder.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256(repr(sparse.parts).encode()).hexdigest()[:12]
    path = folder / f"{digest}.mp4"
    with path.open("wb") as file:
        file.truncate(sparse.size)
        for at, data in sparse.parts:
            file.seek(at)
            file.write(data)
    return path
