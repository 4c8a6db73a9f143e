"""Exponential backoff for services and workers: how long to wait before one that died is started again."""

SHORTEST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
"""The first and the longest pause in seconds. If a service ran for longer than the longest pause, its backoff starts
again."""


class Backoff:
    """The pauses of one service or worker that may die repeatedly."""

    def __init__(self) -> None:
        self._next = SHORTEST_PAUSE

    def after(self, uptime: float) -> float:
        """The seconds to wait before a restart, after it ran for `uptime` seconds. They double each time."""
        pause = SHORTEST_PAUSE if uptime > LONGEST_PAUSE else self._next
        self._next = min(2 * pause, LONGEST_PAUSE)
        return pause
