"""Faults that come at random, several at a time; each is undone after a random while."""

import random
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass

import trio

AT_ONCE = 6
"""Faults at one time."""

PAUSE = 1.5
"""Seconds from one fault to the next, at most."""

SHORTEST = 0.05
"""Seconds that a fault lasts at least."""


class NotNow(Exception):
    """A fault that cannot be made now, because of another one."""


@dataclass(frozen=True)
class Fault:
    """One way to make trouble: a context, whose end undoes it.

    It lasts for `longest` seconds at most. Of those with the same `group` only one is made at a time.
    """

    name: str
    make: Callable[[], AbstractAsyncContextManager[None]]
    longest: float = 8.0
    group: str = ""


class Storm:
    """Makes `faults`, and counts them in `made`."""

    def __init__(self, faults: Sequence[Fault], chance: random.Random, made: Counter[str]) -> None:
        self._faults = faults
        self._chance = chance
        self._made = made
        self._limiter = trio.CapacityLimiter(AT_ONCE)
        self._locks = {fault.group: trio.Lock() for fault in faults if fault.group}

    async def rage(self, seconds: float) -> None:
        """Make faults for so long; all of them are undone at the end."""
        with trio.move_on_after(seconds):
            async with trio.open_nursery() as nursery:
                while True:
                    await self._limiter.acquire_on_behalf_of(slot := object())
                    fault = self._chance.choice(self._faults)
                    nursery.start_soon(self._make, fault, slot)
                    await trio.sleep(self._chance.uniform(0, PAUSE))

    async def _make(self, fault: Fault, slot: object) -> None:
        lock = self._locks.get(fault.group)
        try:
            with suppress(trio.WouldBlock, NotNow):
                if lock is not None:
                    lock.acquire_nowait()
                try:
                    async with fault.make():
                        self._made[fault.name] += 1
                        await trio.sleep(self._chance.uniform(SHORTEST, fault.longest))
                finally:
                    if lock is not None:
                        lock.release()
        finally:
            self._limiter.release_on_behalf_of(slot)
