"""What work costs, measured beside other work in the same run.

No test holds a time of one machine: a slower core takes longer for both, and the ratio stays. Only the processor time
of this process counts, so other programs on the machine do not.
"""

from collections.abc import Callable
from time import process_time

ROUNDS = 9
"""Other programs can only make a measurement worse, through the caches they share, and never better."""


def cost(work: Callable[[], object]) -> float:
    """Processor time of `work`, in seconds."""
    began = process_time()
    work()
    return process_time() - began


def assert_costs(times: float, work: Callable[[], object], yardstick: Callable[[], object]) -> None:
    """Fail if `work` costs more than `times` what `yardstick` does: the least of up to nine alternating rounds."""
    least = most = 0.0
    for number in range(ROUNDS):
        measured, measure = cost(work), cost(yardstick)
        least = min(least, measured) if number else measured
        most = min(most, measure) if number else measure
        if least <= times * most:
            return
    raise AssertionError(
        f"{least:.4f} s are {least / most:.1f} times {most:.4f} s, and at most {times} are allowed"
    )
