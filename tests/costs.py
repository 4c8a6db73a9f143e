"""The cost of work, relative to other work in the same run.

No test depends on the speed of a machine: a slower core takes longer for both, and the ratio stays the same. Only the
processor time of this process counts, not that of other programs.
"""

import math
from collections.abc import Callable
from time import process_time

ROUNDS = 9
"""Other programs can only make a measurement worse, through shared caches, and never better."""

HOPELESS = 10
"""A multiple of the bound; costs above it are not measured again."""


def cost(work: Callable[[], object]) -> float:
    """Processor time of `work`, in seconds."""
    began = process_time()
    work()
    return process_time() - began


def assert_costs(times: float, work: Callable[[], object], yardstick: Callable[[], object]) -> None:
    """Fail if `work` costs more than `times` as much as `yardstick`: the minimum of up to nine alternating rounds."""
    of_work = of_yardstick = math.inf
    for _ in range(ROUNDS):
        of_work = min(of_work, cost(work))
        of_yardstick = min(of_yardstick, cost(yardstick))
        if of_work <= times * of_yardstick:
            return
        if of_work > HOPELESS * times * of_yardstick:
            break
    raise AssertionError(
        f"{of_work:.4f} s are {of_work / of_yardstick:.1f} times {of_yardstick:.4f} s, and at most {times} are allowed"
    )
