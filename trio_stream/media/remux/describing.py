"""The job "outline": what packaging has to know of a file that is no MP4.

A file that is not large is read through; of a larger one the index is asked, if it has one that can be believed. A
large file without an index is read through as far as the bounds allow.
"""

import math
import re
import time
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

import av.container
import av.error
from av.audio.stream import AudioStream
from av.stream import Disposition
from av.video.stream import VideoStream

from trio_stream.media.containers import probe
from trio_stream.media.containers.clock import said_duration, start_of
from trio_stream.media.containers.keyframes import rational, seconds
from trio_stream.media.containers.opening import container_name
from trio_stream.media.containers.parts import MOST_PARTS, beginning_of, end_before, place, view
from trio_stream.media.containers.programmes import READ_BYTES, programmes
from trio_stream.media.containers.streams import film_in, is_flagged, pictures_of, sounds_in
from trio_stream.media.formats import facts
from trio_stream.media.formats.aac import arranged, audio_specific_config
from trio_stream.media.formats.choosing import ARE_STILLS
from trio_stream.media.formats.outline import (
    TRACK_LIMIT,
    AudioOutline,
    Carriage,
    Cuts,
    FilePart,
    Outline,
    ParameterSets,
    VideoOutline,
)
from trio_stream.media.jobs import MediaFile, Reply, Unreadable
from trio_stream.media.remux.indexes import ContainerIndex, Hollow
from trio_stream.media.remux.packets import MediaStream, length_of, open_tracks, skipped
from trio_stream.media.remux.parameter_sets import IN_BAND, Following
from trio_stream.media.remux.samples import CARRIED, eac3_blocks, samples_of, thrown_away
from trio_stream.media.remux.segments import init_of
from trio_stream.media.remux.survey import Seen, Survey
from trio_stream.media.remux.timing import Clock

WHOLE_BYTES = 64 << 20
"""A file of so many bytes is read through whether or not it has an index; a tenth of a second of processor time."""

SCAN_BYTES = 64 << 30
"""How much of a file without an index is read; a minute of processor time."""

SCAN_SECONDS = 45.0
"""How long it is read at most."""


def outline(file: MediaFile, options: Mapping[str, Any], _reply: Reply) -> dict[str, Any]:
    """`Outline.to_json` of the file. Raises `Unreadable`.

    Options, each a bound: `whole_bytes`, `scan_bytes`, `scan_seconds`.
    """
    whole_bytes = int(options.get("whole_bytes", WHOLE_BYTES))
    scan = int(options.get("scan_bytes", SCAN_BYTES)), float(options.get("scan_seconds", SCAN_SECONDS))
    if (file.size or 0) > whole_bytes:
        hollow = Hollow(file)
        with open_tracks(hollow) as container:
            draft = Draft(container, hollow)
            if ContainerIndex(container, hollow, draft.survey, draft.name).fill(scan[1]):
                return draft.outline().to_json()
    with open_tracks(file) as container:
        draft = Draft(container, file)
        draft.survey.read(*scan)
        if draft.is_simple:
            return draft.outline().to_json()
    return Joining(file, *scan).outline().to_json()


_BIT_RATES = re.compile(rb"(\x04\x80\x80\x80.\x40.)...........|(?<=btrt).{12}", re.DOTALL)
"""What init segments say of bit rates (ISO/IEC 14496-1 section 7.2.6.6, ISO/IEC 14496-12 section 8.5.2.2): nobody needs
to know that they change."""


class Draft:
    """An outline in the making, of a file or of a part of it.

    It begins `at` seconds of the presentation. `pid`: of this track alone; it begins at that time.
    """

    def __init__(
        self,
        container: av.container.InputContainer,
        file: MediaFile,
        at: Fraction = Fraction(0),
        *,
        pid: int | None = None,
    ) -> None:
        self.container = container
        self.name = container_name(container, file)
        self.start = start_of(container, file, self.name)
        self._at = at
        self._alone = pid is not None
        film = film_in(container)
        others: list[MediaStream] = [each for each in container.streams.video if each is not film]
        found = [*((film,) if film is not None else ()), *sounds_in(container), *others]
        tracks = [each for each in found if _is_playable(each) and pid in {None, each.id}]
        if not tracks:
            raise Unreadable("there is neither a picture nor a sound in it that anybody could play")
        self.survey = Survey(
            container, file, tracks[:TRACK_LIMIT], film.index if film is not None and film in tracks else None
        )
        self._beyond = tracks[TRACK_LIMIT : facts.TRACK_LIMIT]
        self._unknown = [each for each in found if _is_unknown(each) and pid is None][: facts.TRACK_LIMIT]
        self._programmes: tuple[frozenset[int], ...] = ()
        if self.name == "mpegts" and file.seekable():
            self._programmes = programmes(file.read_at(0, READ_BYTES))

    @property
    def is_simple(self) -> bool:
        """Whether there is one clock, and one coding of each track."""
        return self.survey.seam is None and not any(each.changes for each in self.survey.tracks.values())

    def end(self) -> Fraction:
        """When it ends, in seconds of the presentation."""
        tracks = self.survey.tracks.values()
        ends = (self.time_of(each, each.latest) for each in tracks if each.latest is not None)
        return max(ends, default=self._at)

    def outline(self) -> Outline:
        """What is known now."""
        survey = self.survey
        tracks = [(each.stream, each) for each in (*survey.tracks.values(), *map(Seen, self._beyond))]
        video = [self._video(stream, each) for stream, each in tracks if isinstance(stream, VideoStream)]
        audio = [self._audio(stream, each) for stream, each in tracks if isinstance(stream, AudioStream)]
        for stream in self._unknown:
            if isinstance(stream, VideoStream):
                video.append(VideoOutline(probe.describe_video(stream, ""), _UNKNOWN))
            else:
                audio.append(AudioOutline(probe.describe_audio(stream), _UNKNOWN))
        carriages = [*(each.carriage for each in video), *(each.carriage for each in audio)]
        duration = said_duration(self.container, self.name, self.start)
        if survey.whole:
            duration = max((each.end for each in carriages if each.end is not None), default=duration)
        return Outline(
            container=self.name,
            duration=duration,
            video=tuple(video),
            audio=tuple(audio),
            cuts=self._cuts(video[0].carriage) if survey.times else None,
            exact=not survey.estimated,
        )

    def time_of(self, seen: Seen, shown: int) -> Fraction:
        """A timestamp of a track in seconds of the presentation."""
        clock = self._clock(seen.stream)
        return (shown - clock.origin) * clock.time_base

    def _cuts(self, carriage: Carriage) -> Cuts:
        clock = Clock(carriage.time_base, carriage.origin, carriage.timescale)
        return Cuts(
            track=self.survey.video or 0,
            times=tuple(clock.at(each) for each in self.survey.times),
            starts=tuple(None if each is None else clock.at(each) for each in self.survey.starts),
            sizes=tuple(self.survey.sizes),
            until=None if self.survey.whole else carriage.end,
        )

    def _video(self, stream: VideoStream, seen: Seen) -> VideoOutline:
        clock = self._clock(stream)
        shown, delay = [seen.first], 0
        if stream.index == self.survey.video:
            shown += self.survey.starts[:1]
            delay = clock.at(clock.origin + self.survey.delay)
        first = min((clock.at(each) for each in shown if each is not None), default=0)
        refusal = self._unseen(stream) or self._elsewhere(stream) or self._no_video(stream, seen)
        carriage = _carriage(seen, clock, first, refusal, delay=delay)
        if seen.sets is not None:
            carriage = self._with_sets(carriage, clock, stream, seen.sets)
        # Its name is that of how it is carried, not of how it lies in the file.
        entry = IN_BAND[stream.codec_context.codec.canonical_name] if carriage.in_band else ""
        return VideoOutline(probe.describe_video(stream, "", entry), carriage)

    def _with_sets(self, carriage: Carriage, clock: Clock, stream: VideoStream, sets: Following) -> Carriage:
        """The carriage of a track with parameter sets."""
        changes = None if self.survey.estimated else sets.changes
        in_band = sets.others or (sets.framed and changes is None)
        if in_band:
            noted = [(clock.at(time), units) for time, units in changes or ()]
        else:
            noted = [(0, sets.described)] if sets.framed else []
        known = tuple(ParameterSets(time, units.hex()) for time, units in noted)
        return replace(carriage, in_band=in_band, sets=known)

    def _audio(self, stream: AudioStream, seen: Seen) -> AudioOutline:
        context = stream.codec_context
        clock = self._clock(stream, context.sample_rate)
        first = grid = 0
        if seen.first is not None and seen.packet is not None:
            first = clock.at(seen.first)
            priming, _ = thrown_away(skipped(seen.packet))
            if priming and abs(first + priming) <= clock.time_base * clock.timescale:
                first = -priming  # its timestamp is a rounding of that
            grid = samples_of(
                context.codec.canonical_name,
                bytes(seen.packet),
                context.frame_size,
                context.extradata or b"",
                context.sample_rate,
            )
        refusal = self._unseen(stream) or self._elsewhere(stream) or _no_audio(stream, seen)
        carriage = _carriage(seen, clock, first, refusal, step=grid)
        return AudioOutline(probe.describe_audio(stream), _exactly(carriage, seen))

    def _clock(self, stream: MediaStream, sample_rate: int = 0) -> Clock:
        """That of a track: pictures keep the one they have, sound is counted in samples."""
        base = rational(stream.time_base) or Fraction(1, 1000)
        origin = round(self.start / base)
        if self._alone:
            origin = self.survey.tracks[stream.index].first or 0
        return Clock(base, origin - round(self._at / base), sample_rate or base.denominator)

    def _elsewhere(self, stream: MediaStream) -> str | None:
        """Why a track does not belong to the video that is played."""
        if self.survey.video is None:
            return None
        shown = self.survey.tracks[self.survey.video].stream.id
        holding = [each for each in self._programmes if stream.id in each]
        if holding and not any(shown in each for each in holding):
            return "it belongs to another programme of the stream"
        return None

    def _unseen(self, stream: MediaStream) -> str | None:
        """Why nobody looked at a track."""
        seen = stream.index in self.survey.tracks
        return None if seen else f"no more than {TRACK_LIMIT} tracks of a file are looked at"

    def _no_video(self, stream: VideoStream, seen: Seen) -> str | None:
        """Why pictures cannot be carried in fragmented MP4."""
        codec = stream.codec_context.codec.canonical_name
        if stream.index != self.survey.video and pictures_of(stream).still:
            return ARE_STILLS
        if (reason := _nothing(codec, seen)) is not None:
            return reason
        if self.name == "avi" and stream.codec_context.has_b_frames:
            return "AVI does not say when pictures are shown that are not shown in the order of decoding"
        if codec in {"h264", "hevc"} and not stream.codec_context.extradata:
            return "nothing says how its pictures are coded"
        return None


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
            if len(later) + 1 == MOST_PARTS:
                unread = f"only the first {MOST_PARTS:,} parts of the file are played: it has more"
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
            draft.survey.whole |= (
                draft.survey.seam is not None
            )  # in bytes of which the first look said otherwise
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
                    places = [place(part, change.position) for change in seen.changes]
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
        stop = beginning_of(self._file, replace(seam, position=place(part, seam.position)))
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
                made = _BIT_RATES.sub(rb"\1", made)
                known = self._inits.setdefault(index, [])
                if made not in known:
                    known.append(made)
                carriage = replace(carriage, init=known.index(made))
        track: Any = replace(found.track, index=index)
        return replace(found, track=track, carriage=carriage)


def _no_audio(stream: AudioStream, seen: Seen) -> str | None:
    """Why sound cannot be carried in fragmented MP4."""
    context = stream.codec_context
    codec = context.codec.canonical_name
    if (reason := _nothing(codec, seen)) is not None:
        return reason
    if not context.sample_rate:
        return "nothing says how its sound is coded"
    packet = bytes(seen.packet or b"")
    if codec == "eac3" and eac3_blocks(packet) != 6:
        return "its frames of E-AC-3 are shorter than those of MP4"
    if codec == "aac":
        try:
            arranged(context.extradata or audio_specific_config(packet))
        except ValueError as error:
            return str(error)
    return None


def _exactly(carriage: Carriage, seen: Seen) -> Carriage:
    """The carriage of sound on a grid, with the end that its last segment has."""
    if not carriage.step or seen.last is None:
        return carriage
    clock = Clock(carriage.time_base, carriage.origin, carriage.timescale, carriage.first, carriage.step)
    shown, packet = seen.last
    return replace(
        carriage, end=seconds((clock.at(shown) + length_of(packet, carriage)) / carriage.timescale)
    )


def _nothing(codec: str, seen: Seen) -> str | None:
    if codec not in CARRIED:
        return f"no browser plays {codec} in MP4"
    if seen.lacks_times:
        return "its packets do not say when they are shown"
    return "it has no packets" if seen.packet is None else None


def _carriage(
    seen: Seen, clock: Clock, first: int, refusal: str | None, *, delay: int = 0, step: int = 0
) -> Carriage:
    return Carriage(
        time_base=clock.time_base,
        origin=clock.origin,
        timescale=clock.timescale,
        first=first,
        delay=delay,
        step=step,
        start=seconds(first / clock.timescale),
        end=None if seen.latest is None else seconds(float((seen.latest - clock.origin) * clock.time_base)),
        sizes=tuple(seen.sizes),
        refusal=refusal,
    )


_UNKNOWN = Carriage(
    time_base=Fraction(1, 1000),
    origin=0,
    timescale=1000,
    first=0,
    delay=0,
    step=0,
    start=0.0,
    end=None,
    sizes=(0,),
    refusal="nobody here knows how it is coded",
)
"""Of a track that FFmpeg cannot read."""


def _is_unknown(stream: MediaStream) -> bool:
    known: Any = stream.codec_context
    return known is None and not is_flagged(stream, Disposition.attached_pic)


def _is_playable(stream: MediaStream) -> bool:
    """Whether FFmpeg knows how it is coded, and it is no cover."""
    known: Any = stream.codec_context
    return known is not None and not is_flagged(stream, Disposition.attached_pic)
