"""How long to wait before something that died begins again: the exponential backoff of services and workers."""

SHORTEST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
"""Seconds of the first pause and of the longest one. Something that lived for longer than the longest pause counts as
having died for the first time."""


class Backoff:
    """The pauses of one thing that may die again and again."""

    def __init__(self) -> None:
        self._next = SHORTEST_PAUSE

    def after(self, lived: float) -> float:
        """The seconds to wait now that it died, after it lived for `lived` seconds; twice as many each time."""
        pause = SHORTEST_PAUSE if lived > LONGEST_PAUSE else self._next
        self._next = min(2 * pause, LONGEST_PAUSE)
        return pause
