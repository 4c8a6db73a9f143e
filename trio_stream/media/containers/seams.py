"""Where another clock begins among the packets of a file, told by their times alone (pure)."""

from dataclasses import dataclass

BACK, AHEAD = 0.1, 10.0
"""Seconds by which the time of a track goes back, or that of the file leaps, where another clock begins: those of
FFmpeg's `-dts_delta_threshold`. What leaps less is a hole, and stays one."""

LATE = 2.0
"""Seconds by which a track that was not there may be behind the others: it lies among them somewhat later."""

USUAL = 1.0
"""Seconds from a packet of a track to the next, at most, where nothing is to be looked into."""

SURE, SURE_OF_NEW = 5, 50
"""Packets that have to agree on the new clock: one alone is damaged. Where they are of a track that was not there
before, it may belong to another programme, which has a clock of its own and lies among the others."""

WRAP = (1 << 33) / 90_000
"""Seconds after which the clock of MPEG begins anew."""


@dataclass
class _Suspect:
    """The first packets of what may be another clock: of which track, where they lie, the last time, how many."""

    track: int
    position: int
    time: float
    enough: int
    count: int = 0


@dataclass(frozen=True, slots=True)
class Clocks:
    """Where a packet lies that is on another clock than those before: times of `before` and of `after`, in seconds."""

    position: int
    before: float
    after: float

    def is_after(self, time: float) -> bool:
        """Whether a time, which may have been counted modulo `WRAP`, is on the second clock, as far as one can tell."""
        if _apart(self.before, self.after) < LATE:
            return False
        return _apart(time, self.after) < _apart(time, self.before)


class Seam:
    """Looks for where another clock begins, in packets that come one after the other. `found`: there."""

    def __init__(self) -> None:
        self.found: Clocks | None = None
        self._last: dict[int, float] = {}
        self._latest: float | None = None
        self._suspect: _Suspect | None = None
        self._apart: set[int] = set()  # tracks of another programme

    def take(self, track: int, time: float, position: int | None) -> bool:
        """Note a packet that is decoded at `time` and lies at `position`; whether its clock is that of those before."""
        suspect, last = self._suspect, self._last.get(track)
        if suspect is None and last is not None and self._latest is not None and 0 <= time - last <= USUAL:
            self._last[track] = time  # as nearly all packets
            self._latest = max(time, self._latest)
            return True
        if track in self._apart:
            return True
        behind = suspect is not None and position is not None and position > suspect.position
        if self._goes_on(track, time) and not (behind and self._is_other(track, time)):
            if behind and suspect is not None and track == suspect.track:
                self._suspect = None  # they were damaged
            elif behind and suspect is not None and suspect.enough == SURE_OF_NEW:
                self._suspect = None
                self._apart.add(suspect.track)
            self._last[track] = time
            self._latest = time if self._latest is None else max(time, self._latest)
            return True
        if position is None:
            return False
        if suspect is None or abs(time - suspect.time) > AHEAD:
            suspect = self._suspect = _Suspect(
                track, position, time, SURE if track in self._last else SURE_OF_NEW
            )
        suspect.position = min(suspect.position, position)
        suspect.time = max(suspect.time, time)
        suspect.count += 1
        if suspect.count == suspect.enough and self._latest is not None:
            self.found = Clocks(suspect.position, self._latest, suspect.time)
        return suspect.enough == SURE_OF_NEW  # perhaps it is no part, and all of the track is wanted

    def _goes_on(self, track: int, time: float) -> bool:
        if self._latest is None:
            return True
        last, suspect = self._last.get(track), self._suspect
        if last is None and suspect is not None and track == suspect.track:
            return False
        back = BACK if self._suspect is None else 0.0
        return (self._latest - LATE if last is None else last - back) <= time <= self._latest + AHEAD

    def _is_other(self, track: int, time: float) -> bool:
        suspect, latest = self._suspect, self._latest
        if suspect is None or latest is None or track == suspect.track:
            return False
        return abs(time - suspect.time) < abs(time - latest)


def _apart(time: float, clock: float) -> float:
    apart = (time - clock) % WRAP
    return min(apart, WRAP - apart)
