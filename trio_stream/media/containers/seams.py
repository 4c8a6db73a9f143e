"""Find where another clock begins among the packets of a file, from their times alone (pure)."""

from dataclasses import dataclass

BACK, AHEAD = 0.1, 10.0
"""Seconds. Another clock begins where the time of a track goes back by BACK, or the time of the file jumps by AHEAD
(FFmpeg's `-dts_delta_threshold`). A smaller jump is a gap, and stays one."""

LATE = 2.0
"""Seconds by which a new track may be behind the others, because its packets are stored later."""

MAX_STEP = 1.0
"""Seconds from a packet of a track to the next, at most, that need no further check."""

CONFIRMATIONS, NEW_TRACK_CONFIRMATIONS = 5, 50
"""Packets that must agree on the new clock, because a single one may be damaged. Packets of a new track may belong to
another programme, which has its own clock and is interleaved with the others."""

WRAP = (1 << 33) / 90_000
"""Seconds after which the clock of MPEG wraps around."""


@dataclass
class _Suspect:
    """The first packets of a possible other clock: their track, first position, last time, and number."""

    track: int
    position: int
    time: float
    needed: int
    count: int = 0


@dataclass(frozen=True, slots=True)
class Seam:
    """The position of the packet with which another clock begins, and the times `before` and `after` it, in seconds."""

    position: int
    before: float
    after: float

    def is_after(self, time: float) -> bool:
        """Whether a time, perhaps modulo `WRAP`, is probably on the second clock."""
        if _distance(self.before, self.after) < LATE:
            return False
        return _distance(time, self.after) < _distance(time, self.before)


class SeamFinder:
    """Finds the first seam in a sequence of packets; it is in `found`."""

    def __init__(self) -> None:
        self.found: Seam | None = None
        self._last: dict[int, float] = {}
        self._latest: float | None = None
        self._suspect: _Suspect | None = None
        self._other_programmes: set[int] = set()  # other programmes have their own clocks

    def take(self, track: int, time: float, position: int | None) -> bool:
        """Record a packet decoded at `time`, stored at `position`; return whether its clock is the current one."""
        suspect, last = self._suspect, self._last.get(track)
        if suspect is None and last is not None and self._latest is not None and 0 <= time - last <= MAX_STEP:
            self._last[track] = time  # nearly all packets
            self._latest = max(time, self._latest)
            return True
        if track in self._other_programmes:
            return True
        is_later = suspect is not None and position is not None and position > suspect.position
        if self._continues(track, time) and not (is_later and self._is_on_suspect_clock(track, time)):
            if is_later and suspect is not None and track == suspect.track:
                self._suspect = None  # the suspect packets were damaged
            elif is_later and suspect is not None and suspect.needed == NEW_TRACK_CONFIRMATIONS:
                self._suspect = None
                self._other_programmes.add(suspect.track)
            self._last[track] = time
            self._latest = time if self._latest is None else max(time, self._latest)
            return True
        if position is None:
            return False
        if suspect is None or abs(time - suspect.time) > AHEAD:
            suspect = self._suspect = _Suspect(
                track, position, time, CONFIRMATIONS if track in self._last else NEW_TRACK_CONFIRMATIONS
            )
        suspect.position = min(suspect.position, position)
        suspect.time = max(suspect.time, time)
        suspect.count += 1
        if suspect.count == suspect.needed and self._latest is not None:
            self.found = Seam(suspect.position, self._latest, suspect.time)
        # The track may be of another programme; then all of its packets are needed.
        return suspect.needed == NEW_TRACK_CONFIRMATIONS

    def _continues(self, track: int, time: float) -> bool:
        if self._latest is None:
            return True
        last, suspect = self._last.get(track), self._suspect
        if last is None and suspect is not None and track == suspect.track:
            return False
        back = BACK if self._suspect is None else 0.0
        return (self._latest - LATE if last is None else last - back) <= time <= self._latest + AHEAD

    def _is_on_suspect_clock(self, track: int, time: float) -> bool:
        suspect, latest = self._suspect, self._latest
        if suspect is None or latest is None or track == suspect.track:
            return False
        return abs(time - suspect.time) < abs(time - latest)


def _distance(time: float, clock: float) -> float:
    distance = (time - clock) % WRAP
    return min(distance, WRAP - distance)
