"""Random faults, several at a time; each is undone after a random time."""

import random
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass

import trio

AT_ONCE = 6
"""Faults at the same time, at most."""

PAUSE = 1.5
"""The longest time between two faults, in seconds."""

SHORTEST = 0.05
"""The shortest time that a fault lasts, in seconds."""


class NotPossible(Exception):
    """A fault that is not possible now because of another one."""


@dataclass(frozen=True)
class Fault:
    """One kind of fault: a context whose end undoes it.

    It lasts for `longest` seconds at most. Only one fault of each `group` is active at a time.
    """

    name: str
    cause: Callable[[], AbstractAsyncContextManager[None]]
    longest: float = 8.0
    group: str = ""


class Storm:
    """Causes `faults`, and counts them in `counts`."""

    def __init__(self, faults: Sequence[Fault], chance: random.Random, counts: Counter[str]) -> None:
        self._faults = faults
        self._chance = chance
        self._counts = counts
        self._limiter = trio.CapacityLimiter(AT_ONCE)
        self._locks = {fault.group: trio.Lock() for fault in faults if fault.group}

    async def run(self, seconds: float) -> None:
        """Cause faults for `seconds`; all of them are undone at the end."""
        with trio.move_on_after(seconds):
            async with trio.open_nursery() as nursery:
                while True:
                    await self._limiter.acquire_on_behalf_of(slot := object())
                    fault = self._chance.choice(self._faults)
                    nursery.start_soon(self._cause, fault, slot)
                    await trio.sleep(self._chance.uniform(0, PAUSE))

    async def _cause(self, fault: Fault, slot: object) -> None:
        lock = self._locks.get(fault.group)
        try:
            with suppress(trio.WouldBlock, NotPossible):
                if lock is not None:
                    lock.acquire_nowait()
                try:
                    async with fault.cause():
                        self._counts[fault.name] += 1
                        await trio.sleep(self._chance.uniform(SHORTEST, fault.longest))
                finally:
                    if lock is not None:
                        lock.release()
        finally:
            self._limiter.release_on_behalf_of(slot)
