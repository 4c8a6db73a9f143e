"""Outline a file that consists of several joined files, or whose audio coding changes.

Invariant: each part is outlined alone, just as it is read later for its segments, and nothing in a part reaches into
the next one.
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
from trio_stream.media.formats.outline import AudioOutline, FilePart, Outline, VideoOutline
from trio_stream.media.jobs import MediaFile, Unreadable
from trio_stream.media.remux.demuxing import open_tracks
from trio_stream.media.remux.draft import Draft
from trio_stream.media.remux.segments import init_of

_BIT_RATES = re.compile(rb"(\x04\x80\x80\x80.\x40.)...........|(?<=btrt).{12}", re.DOTALL)
"""The bit rates in init segments (ISO/IEC 14496-1 section 7.2.6.6, ISO/IEC 14496-12 section 8.5.2.2). They are left out
of comparisons, because a change in them does not matter."""


class PartsOutliner:
    """Outlines a file part by part if it has several parts, or an audio track whose coding changes.

    Each part is read twice: once to find its end, and once just as it is read later for its segments.
    """

    def __init__(self, file: MediaFile, max_bytes: int, seconds: float) -> None:
        self._file = file
        self._max_bytes = max_bytes
        self._deadline = time.monotonic() + seconds
        self._tracks: dict[int, tuple[int, type]] = {}  # tracks of all parts: PID and kind, by index
        self._inits: dict[int, list[bytes]] = {}

    def outline(self) -> Outline:
        """Outline all parts that can be read. Raises `Unreadable` if the first one cannot."""
        first, begin, at = self._part(0, Fraction(0))
        later: list[FilePart] = []
        unread = None
        while begin is not None and unread is None:
            if len(later) + 1 == MAX_PARTS:
                unread = f"only the first {MAX_PARTS:,} parts of the file are played"
            elif time.monotonic() > self._deadline:
                unread = "finding all parts of the file takes too long"
            else:
                try:
                    start = at
                    outline, begin, at = self._part(begin, at)
                except Unreadable as error:
                    unread = f"a part of the file cannot be read: {error}"
                else:
                    later.append(
                        FilePart(float(start), outline.video, outline.audio, outline.cuts, outline.changes)
                    )
        return replace(first, duration=seconds(float(at)), later=tuple(later), unread=unread)

    def _part(self, begin: int, at: Fraction) -> tuple[Outline, int | None, Fraction]:
        """Return the outline of a part, where the next one begins (None: there is none), and when."""
        stop = self._stop(begin)
        part = view(self._file, begin, stop)
        with open_tracks(part) as container:
            draft = Draft(container, part, at)
            draft.survey.read(self._max_bytes, self._deadline - time.monotonic())
            # The first reading found the end of this part; if there is a seam in its own bytes now, it ends there.
            draft.survey.whole |= draft.survey.seam is not None
            indexes = self._indexes(draft)
            outline = draft.outline()
            video = [
                self._with_index(track, indexes, begin, stop)
                for track in outline.video
                if track.track.index in indexes
            ]
            audio: list[AudioOutline] = []
            changes: list[AudioOutline] = []
            for track in outline.audio:
                if track.track.index in indexes:
                    track_survey = draft.survey.tracks[track.track.index]
                    pid, index = track_survey.stream.id, indexes[track.track.index]
                    positions = [file_offset(part, change.position) for change in track_survey.changes]
                    ends = [*(end_before(self._file, position, pid) for position in positions), stop]
                    audio.append(self._with_index(track, indexes, begin, ends[0]))
                    for change, low, high in zip(track_survey.changes, positions, ends[1:], strict=True):
                        changes.append(
                            self._change(pid, index, draft.time_of(track_survey, change.shown), low, high)
                        )
            cuts = outline.cuts
            if cuts is not None:
                cuts = replace(cuts, track=indexes[cuts.track]) if cuts.track in indexes else None
            # The next part begins with the next millisecond: nothing may reach into it.
            end = Fraction(math.floor(draft.end() * 1000) + 1, 1000)
        outline = replace(outline, video=tuple(video), audio=tuple(audio), changes=tuple(changes), cuts=cuts)
        return outline, stop, end

    def _stop(self, begin: int) -> int | None:
        part = view(self._file, begin, None)
        with open_tracks(part) as container:
            draft = Draft(container, part)
            draft.survey.read(self._max_bytes, self._deadline - time.monotonic())
            seam = draft.survey.seam
        if seam is None:
            return None
        stop = part_start(self._file, replace(seam, position=file_offset(part, seam.position)))
        if stop <= begin:
            raise Unreadable("the clock of the file goes back and forth")
        return stop

    def _change(self, pid: int, index: int, at: Fraction, begin: int, stop: int | None) -> AudioOutline:
        """Outline an audio track from `at` on, where its coding changes."""
        part = view(self._file, begin, stop)
        with open_tracks(part) as container:
            draft = Draft(container, part, at, pid=pid)
            draft.survey.read(self._max_bytes, self._deadline - time.monotonic())
            [audio] = draft.outline().audio
        return self._with_index(audio, {audio.track.index: index}, begin, stop)

    def _indexes(self, draft: Draft) -> dict[int, int]:
        """Map the tracks of a part that have packets to their indexes in the outline.

        A track continues the one with the same PID, or else one of the same kind.
        """
        streams = [track.stream for track in draft.survey.tracks.values() if track.packet is not None]
        indexes: dict[int, int] = {}
        for stream in streams:
            same = [index for index, track in self._tracks.items() if track == (stream.id, type(stream))]
            if same and same[0] not in indexes.values():
                indexes[stream.index] = same[0]
        for stream in streams:
            if stream.index not in indexes:
                left = [
                    index
                    for index, (_, kind) in self._tracks.items()
                    if kind is type(stream) and index not in indexes.values()
                ]
                if self._tracks and left:
                    indexes[stream.index] = left[0]
                else:
                    index = max(self._tracks, default=-1) + 1 if self._tracks else stream.index
                    indexes[stream.index] = index
        for stream in streams:
            self._tracks.setdefault(indexes[stream.index], (stream.id, type(stream)))
        return indexes

    def _with_index[Track: VideoOutline | AudioOutline](
        self, outline: Track, indexes: Mapping[int, int], begin: int, stop: int | None
    ) -> Track:
        """Set the index that a track has in the outline, and the number of its init segment."""
        index = indexes[outline.track.index]
        carriage = replace(outline.carriage, begin=begin, stop=stop, index=outline.track.index)
        if carriage.refusal is None:
            try:
                init_segment = init_of(self._file, index, carriage)
            except Unreadable as error:
                carriage = replace(carriage, refusal=str(error))
            else:
                # Built now and compared, so that equal ones share one URL, which clients cache forever.
                init_segment = _BIT_RATES.sub(rb"\1", init_segment)
                inits = self._inits.setdefault(index, [])
                if init_segment not in inits:
                    inits.append(init_segment)
                carriage = replace(carriage, init=inits.index(init_segment))
        track: Any = replace(outline.track, index=index)
        return replace(outline, track=track, carriage=carriage)
