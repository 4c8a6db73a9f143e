"""An outline in the making: of a file, or of a part of it in which there is one clock and one coding of each track."""

from dataclasses import replace
from fractions import Fraction
from typing import Any

import av.container
import av.error
from av.audio.stream import AudioStream
from av.stream import Disposition
from av.video.stream import VideoStream

from trio_stream.media.containers.clock import start_of, stated_duration
from trio_stream.media.containers.keyframes import rational, seconds
from trio_stream.media.containers.opening import container_name
from trio_stream.media.containers.programmes import READ_BYTES, programmes
from trio_stream.media.containers.streams import audio_streams, is_flagged, main_video_stream, video_traits
from trio_stream.media.containers.tracks import describe_audio, describe_video
from trio_stream.media.formats import media_info
from trio_stream.media.formats.aac import arranged, audio_specific_config
from trio_stream.media.formats.outline import (
    TRACK_LIMIT,
    AudioOutline,
    Carriage,
    Cuts,
    Outline,
    ParameterSets,
    VideoOutline,
)
from trio_stream.media.formats.track_choice import STILL_IMAGES
from trio_stream.media.jobs import MediaFile, Unreadable
from trio_stream.media.remux.demuxing import MediaStream
from trio_stream.media.remux.packets import length_of, skipped
from trio_stream.media.remux.parameter_sets import IN_BAND, Following
from trio_stream.media.remux.samples import CARRIED, eac3_blocks, samples_of, thrown_away
from trio_stream.media.remux.survey import Seen, Survey
from trio_stream.media.remux.timing import Clock


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
        film = main_video_stream(container)
        others: list[MediaStream] = [each for each in container.streams.video if each is not film]
        found = [*((film,) if film is not None else ()), *audio_streams(container), *others]
        tracks = [each for each in found if _is_playable(each) and pid in {None, each.id}]
        if not tracks:
            raise Unreadable("there is neither a picture nor a sound in it that anybody could play")
        self.survey = Survey(
            container, file, tracks[:TRACK_LIMIT], film.index if film is not None and film in tracks else None
        )
        self._beyond = tracks[TRACK_LIMIT : media_info.TRACK_LIMIT]
        self._unknown = [each for each in found if _is_unknown(each) and pid is None][
            : media_info.TRACK_LIMIT
        ]
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
                video.append(VideoOutline(describe_video(stream, ""), _UNKNOWN))
            else:
                audio.append(AudioOutline(describe_audio(stream), _UNKNOWN))
        carriages = [*(each.carriage for each in video), *(each.carriage for each in audio)]
        duration = stated_duration(self.container, self.name, self.start)
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
        return VideoOutline(describe_video(stream, "", entry), carriage)

    def _with_sets(self, carriage: Carriage, clock: Clock, stream: VideoStream, sets: Following) -> Carriage:
        """The carriage of a track with parameter sets.

        If none of them ever changes they stand in the init segment alone; else samples keep theirs (`avc3`, `hev1`).
        """
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
        return AudioOutline(describe_audio(stream), _exactly(carriage, seen))

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
        if stream.index != self.survey.video and video_traits(stream).is_still:
            return STILL_IMAGES
        if (reason := _nothing(codec, seen)) is not None:
            return reason
        if self.name == "avi" and stream.codec_context.has_b_frames:
            return "AVI does not say when pictures are shown that are not shown in the order of decoding"
        if codec in {"h264", "hevc"} and not stream.codec_context.extradata:
            return "nothing says how its pictures are coded"
        return None


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
