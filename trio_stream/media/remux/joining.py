"""The outline of a file that is several, one behind the other, or whose sound changes its coding.

Invariant: each part is described by itself, as it is read later when segments are made of it, and nothing of a part
reaches into the next one.
"""

import math
import re
import time
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

from trio_stream.media.containers.keyframes import seconds
from trio_stream.media.containers.parts import MAX_PARTS, end_before, file_offset, part_start, view
from trio_stream.media.formats.outline import (
    AudioOutline,
    FilePart,
    Outline,
    VideoOutline,
)
from trio_stream.media.jobs import MediaFile, Unreadable
from trio_stream.media.remux.demuxing import open_tracks
from trio_stream.media.remux.draft import Draft
from trio_stream.media.remux.segments import init_of

_BIT_RATES = re.compile(rb"(\x04\x80\x80\x80.\x40.)...........|(?<=btrt).{12}", re.DOTALL)
"""What init segments say of bit rates (ISO/IEC 14496-1 section 7.2.6.6, ISO/IEC 14496-12 section 8.5.2.2): nobody needs
to know that they change."""


class Joining:
    """Outlines a file of several parts, or with a sound whose coding changes, part by part.

    Each part is read twice: to see where it ends, and as it is read later, when segments are made of it.
    """

    def __init__(self, file: MediaFile, most: int, seconds: float) -> None:
        self._file = file
        self._most = most
        self._late = time.monotonic() + seconds
        self._known: dict[int, tuple[int, type]] = {}  # tracks of all parts: PID and kind, by index
        self._inits: dict[int, list[bytes]] = {}
        self._whole = True
        self._changes = 0

    def outline(self) -> Outline:
        """All parts that can be read. Raises `Unreadable` if not even the first can."""
        first, begin, at = self._part(0, Fraction(0))
        later: list[FilePart] = []
        unread = None
        while begin is not None and unread is None:
            if len(later) + 1 == MAX_PARTS:
                unread = f"only the first {MAX_PARTS:,} parts of the file are played: it has more"
            elif time.monotonic() > self._late:
                unread = "it takes too long to find all parts of the file"
            else:
                try:
                    start = at
                    found, begin, at = self._part(begin, at)
                except Unreadable as error:
                    unread = f"a part of the file cannot be read: {error}"
                else:
                    later.append(FilePart(float(start), found.video, found.audio, found.cuts, found.changes))
        return replace(first, duration=seconds(float(at)), later=tuple(later), unread=unread)

    def _part(self, begin: int, at: Fraction) -> tuple[Outline, int | None, Fraction]:
        """The outline of a part, where the next one begins (None: nowhere), and when."""
        stop = self._stop(begin)
        part = view(self._file, begin, stop)
        with open_tracks(part) as container:
            draft = Draft(container, part, at)
            draft.survey.read(self._most, self._late - time.monotonic())
            # The first look found the end of this part; if a seam shows now, in its own bytes, it ends there.
            draft.survey.whole |= draft.survey.seam is not None
            names = self._names(draft)
            found = draft.outline()
            video = [
                self._named(each, names, begin, stop) for each in found.video if each.track.index in names
            ]
            audio: list[AudioOutline] = []
            changes: list[AudioOutline] = []
            for each in found.audio:
                if each.track.index in names:
                    seen = draft.survey.tracks[each.track.index]
                    pid, name = seen.stream.id, names[each.track.index]
                    places = [file_offset(part, change.position) for change in seen.changes]
                    ends = [*(end_before(self._file, at, pid) for at in places), stop]
                    audio.append(self._named(each, names, begin, ends[0]))
                    for change, low, high in zip(seen.changes, places, ends[1:], strict=True):
                        changes.append(self._change(pid, name, draft.time_of(seen, change.shown), low, high))
            cuts = found.cuts
            if cuts is not None:
                cuts = replace(cuts, track=names[cuts.track]) if cuts.track in names else None
            # What follows begins with the next millisecond: nothing may reach into it.
            end = Fraction(math.floor(draft.end() * 1000) + 1, 1000)
        found = replace(found, video=tuple(video), audio=tuple(audio), changes=tuple(changes), cuts=cuts)
        return found, stop, end

    def _stop(self, begin: int) -> int | None:
        part = view(self._file, begin, None)
        with open_tracks(part) as container:
            draft = Draft(container, part)
            draft.survey.read(self._most, self._late - time.monotonic())
            seam = draft.survey.seam
        if seam is None:
            return None
        stop = part_start(self._file, replace(seam, position=file_offset(part, seam.position)))
        if stop <= begin:
            raise Unreadable("its clock goes back and forth")
        return stop

    def _change(self, pid: int, index: int, at: Fraction, begin: int, stop: int | None) -> AudioOutline:
        """A sound from `at` on, where its coding is another one."""
        part = view(self._file, begin, stop)
        with open_tracks(part) as container:
            draft = Draft(container, part, at, pid=pid)
            draft.survey.read(self._most, self._late - time.monotonic())
            [found] = draft.outline().audio
        return self._named(found, {found.track.index: index}, begin, stop)

    def _names(self, draft: Draft) -> dict[int, int]:
        """The tracks of a part that have packets, each with the index that it has in the outline.

        One goes on that has the same PID, or is of the same kind where none has.
        """
        streams = [each.stream for each in draft.survey.tracks.values() if each.packet is not None]
        names: dict[int, int] = {}
        for stream in streams:
            same = [name for name, known in self._known.items() if known == (stream.id, type(stream))]
            if same and same[0] not in names.values():
                names[stream.index] = same[0]
        for stream in streams:
            if stream.index not in names:
                left = [
                    name
                    for name, (_, kind) in self._known.items()
                    if kind is type(stream) and name not in names.values()
                ]
                if self._known and left:
                    names[stream.index] = left[0]
                else:
                    name = max(self._known, default=-1) + 1 if self._known else stream.index
                    names[stream.index] = name
        for stream in streams:
            self._known.setdefault(names[stream.index], (stream.id, type(stream)))
        return names

    def _named[Named: VideoOutline | AudioOutline](
        self, found: Named, names: Mapping[int, int], begin: int, stop: int | None
    ) -> Named:
        """A track under the index that it has in the outline, with the number of its init segment."""
        index = names[found.track.index]
        carriage = replace(found.carriage, begin=begin, stop=stop, index=found.track.index)
        if carriage.refusal is None:
            try:
                made = init_of(self._file, index, carriage)
            except Unreadable as error:
                carriage = replace(carriage, refusal=str(error))
            else:
                # Made now and compared, so that equal ones are one: each has an address, cached for ever.
                made = _BIT_RATES.sub(rb"\1", made)
                known = self._inits.setdefault(index, [])
                if made not in known:
                    known.append(made)
                carriage = replace(carriage, init=known.index(made))
        track: Any = replace(found.track, index=index)
        return replace(found, track=track, carriage=carriage)
