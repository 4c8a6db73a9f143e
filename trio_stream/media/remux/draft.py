"""Collect an outline: of a file, or of a part of it with one clock and one coding of each track."""

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
from trio_stream.media.formats.aac import audio_specific_config, with_standard_layout
from trio_stream.media.formats.outline import (
    TRACK_LIMIT,
    AudioOutline,
    Carriage,
    KeyframeTable,
    Outline,
    ParameterSets,
    VideoOutline,
)
from trio_stream.media.formats.track_choice import STILL_IMAGES
from trio_stream.media.jobs import MediaFile, Unreadable
from trio_stream.media.remux.demuxing import MediaStream
from trio_stream.media.remux.packets import duration_of, skip_samples_of
from trio_stream.media.remux.parameter_sets import IN_BAND, ParameterSetTracker
from trio_stream.media.remux.samples import CARRIED_CODECS, discarded_samples, eac3_blocks, samples_per_packet
from trio_stream.media.remux.survey import Survey, TrackSurvey
from trio_stream.media.remux.timing import Clock


class Draft:
    """Collects the outline of a file or of a part of it.

    It begins at `at` seconds of the presentation. `pid`: collect only this track, whose first packet is at that time.
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
        self._is_single_track = pid is not None
        main = main_video_stream(container)
        others: list[MediaStream] = [stream for stream in container.streams.video if stream is not main]
        streams = [*((main,) if main is not None else ()), *audio_streams(container), *others]
        tracks = [stream for stream in streams if _is_playable(stream) and pid in {None, stream.id}]
        if not tracks:
            raise Unreadable("the file has no video or audio track that can be played")
        self.survey = Survey(
            container, file, tracks[:TRACK_LIMIT], main.index if main is not None and main in tracks else None
        )
        self._over_limit = tracks[TRACK_LIMIT : media_info.TRACK_LIMIT]
        self._unknown = [stream for stream in streams if _is_unknown(stream) and pid is None][
            : media_info.TRACK_LIMIT
        ]
        self._programmes: tuple[frozenset[int], ...] = ()
        if self.name == "mpegts" and file.seekable():
            self._programmes = programmes(file.read_at(0, READ_BYTES))

    @property
    def is_simple(self) -> bool:
        """Whether there is one clock, and one coding of each track."""
        return self.survey.seam is None and not any(track.changes for track in self.survey.tracks.values())

    def end(self) -> Fraction:
        """Return when it ends, in seconds of the presentation."""
        tracks = self.survey.tracks.values()
        ends = (self.time_of(track, track.latest) for track in tracks if track.latest is not None)
        return max(ends, default=self._at)

    def outline(self) -> Outline:
        """Return the outline, as far as packets were read."""
        survey = self.survey
        tracks = [
            (track.stream, track) for track in (*survey.tracks.values(), *map(TrackSurvey, self._over_limit))
        ]
        video = [self._video(stream, track) for stream, track in tracks if isinstance(stream, VideoStream)]
        audio = [self._audio(stream, track) for stream, track in tracks if isinstance(stream, AudioStream)]
        for stream in self._unknown:
            if isinstance(stream, VideoStream):
                video.append(VideoOutline(describe_video(stream, ""), _UNKNOWN))
            else:
                audio.append(AudioOutline(describe_audio(stream), _UNKNOWN))
        carriages = [*(track.carriage for track in video), *(track.carriage for track in audio)]
        duration = stated_duration(self.container, self.name, self.start)
        if survey.whole:
            duration = max(
                (carriage.end for carriage in carriages if carriage.end is not None), default=duration
            )
        return Outline(
            container=self.name,
            duration=duration,
            video=tuple(video),
            audio=tuple(audio),
            cuts=self._cuts(video[0].carriage) if survey.times else None,
            exact=not survey.estimated,
        )

    def time_of(self, track_survey: TrackSurvey, shown: int) -> Fraction:
        """Convert a timestamp of a track to seconds of the presentation."""
        clock = self._clock(track_survey.stream)
        return (shown - clock.origin) * clock.time_base

    def _cuts(self, carriage: Carriage) -> KeyframeTable:
        clock = Clock(carriage.time_base, carriage.origin, carriage.timescale)
        return KeyframeTable(
            track=self.survey.video or 0,
            times=tuple(clock.at(time) for time in self.survey.times),
            starts=tuple(None if start is None else clock.at(start) for start in self.survey.starts),
            sizes=tuple(self.survey.sizes),
            until=None if self.survey.whole else carriage.end,
        )

    def _video(self, stream: VideoStream, track_survey: TrackSurvey) -> VideoOutline:
        clock = self._clock(stream)
        shown, delay = [track_survey.first], 0
        if stream.index == self.survey.video:
            shown += self.survey.starts[:1]
            delay = clock.at(clock.origin + self.survey.delay)
        first = min((clock.at(time) for time in shown if time is not None), default=0)
        refusal = (
            self._not_examined(stream)
            or self._in_other_programme(stream)
            or self._video_refusal(stream, track_survey)
        )
        carriage = _carriage(track_survey, clock, first, refusal, delay=delay)
        if track_survey.sets is not None:
            carriage = self._with_sets(carriage, clock, stream, track_survey.sets)
        # The codec string names the sample entry it is carried in, not the one in the file.
        entry = IN_BAND[stream.codec_context.codec.canonical_name] if carriage.in_band else ""
        return VideoOutline(describe_video(stream, "", entry), carriage)

    def _with_sets(
        self, carriage: Carriage, clock: Clock, stream: VideoStream, sets: ParameterSetTracker
    ) -> Carriage:
        """Add the parameter sets of a track to its carriage.

        If they never change, they are in the init segment only; otherwise samples keep theirs (`avc3`, `hev1`).
        """
        changes = None if self.survey.estimated else sets.changes
        in_band = sets.has_others or (sets.is_byte_stream and changes is None)
        if in_band:
            timed = [(clock.at(time), units) for time, units in changes or ()]
        else:
            timed = [(0, sets.described)] if sets.is_byte_stream else []
        parameter_sets = tuple(ParameterSets(time, units.hex()) for time, units in timed)
        return replace(carriage, in_band=in_band, sets=parameter_sets)

    def _audio(self, stream: AudioStream, track_survey: TrackSurvey) -> AudioOutline:
        context = stream.codec_context
        clock = self._clock(stream, context.sample_rate)
        first = grid = 0
        if track_survey.first is not None and track_survey.packet is not None:
            first = clock.at(track_survey.first)
            priming, _ = discarded_samples(skip_samples_of(track_survey.packet))
            if priming and abs(first + priming) <= clock.time_base * clock.timescale:
                first = -priming  # its timestamp is this time, rounded
            grid = samples_per_packet(
                context.codec.canonical_name,
                bytes(track_survey.packet),
                context.frame_size,
                context.extradata or b"",
                context.sample_rate,
            )
        refusal = (
            self._not_examined(stream)
            or self._in_other_programme(stream)
            or _audio_refusal(stream, track_survey)
        )
        carriage = _carriage(track_survey, clock, first, refusal, step=grid)
        return AudioOutline(describe_audio(stream), _with_exact_end(carriage, track_survey))

    def _clock(self, stream: MediaStream, sample_rate: int = 0) -> Clock:
        """Return the clock of a track: video keeps its own, audio counts samples."""
        base = rational(stream.time_base) or Fraction(1, 1000)
        origin = round(self.start / base)
        if self._is_single_track:
            origin = self.survey.tracks[stream.index].first or 0
        return Clock(base, origin - round(self._at / base), sample_rate or base.denominator)

    def _in_other_programme(self, stream: MediaStream) -> str | None:
        """Return why a track does not belong to the video that is played, if so."""
        if self.survey.video is None:
            return None
        video_pid = self.survey.tracks[self.survey.video].stream.id
        programmes_with_track = [pids for pids in self._programmes if stream.id in pids]
        if programmes_with_track and not any(video_pid in pids for pids in programmes_with_track):
            return "the track belongs to another programme of the stream"
        return None

    def _not_examined(self, stream: MediaStream) -> str | None:
        """Return why a track was not examined, if so."""
        is_examined = stream.index in self.survey.tracks
        return None if is_examined else f"only the first {TRACK_LIMIT} tracks of a file are examined"

    def _video_refusal(self, stream: VideoStream, track_survey: TrackSurvey) -> str | None:
        """Return why a video track cannot be carried in fragmented MP4, if so."""
        codec = stream.codec_context.codec.canonical_name
        if stream.index != self.survey.video and video_traits(stream).is_still:
            return STILL_IMAGES
        if (reason := _packet_refusal(codec, track_survey)) is not None:
            return reason
        if self.name == "avi" and stream.codec_context.has_b_frames:
            return "AVI does not say when reordered frames are shown"
        if codec in {"h264", "hevc"} and not stream.codec_context.extradata:
            return "the file does not say how its video is coded"
        return None


def _audio_refusal(stream: AudioStream, track_survey: TrackSurvey) -> str | None:
    """Return why an audio track cannot be carried in fragmented MP4, if so."""
    context = stream.codec_context
    codec = context.codec.canonical_name
    if (reason := _packet_refusal(codec, track_survey)) is not None:
        return reason
    if not context.sample_rate:
        return "the file does not say how its audio is coded"
    packet = bytes(track_survey.packet or b"")
    if codec == "eac3" and eac3_blocks(packet) != 6:
        return "its E-AC-3 frames are too short for MP4"
    if codec == "aac":
        try:
            with_standard_layout(context.extradata or audio_specific_config(packet))
        except ValueError as error:
            return str(error)
    return None


def _with_exact_end(carriage: Carriage, track_survey: TrackSurvey) -> Carriage:
    """Set the end of audio on a grid to the end of its last segment."""
    if not carriage.step or track_survey.last is None:
        return carriage
    clock = Clock(carriage.time_base, carriage.origin, carriage.timescale, carriage.first, carriage.step)
    shown, packet = track_survey.last
    return replace(
        carriage, end=seconds((clock.at(shown) + duration_of(packet, carriage)) / carriage.timescale)
    )


def _packet_refusal(codec: str, track_survey: TrackSurvey) -> str | None:
    if codec not in CARRIED_CODECS:
        return f"no browser plays {codec} in MP4"
    if track_survey.lacks_times:
        return "its packets have no timestamps"
    return "the track has no packets" if track_survey.packet is None else None


def _carriage(
    track_survey: TrackSurvey, clock: Clock, first: int, refusal: str | None, *, delay: int = 0, step: int = 0
) -> Carriage:
    return Carriage(
        time_base=clock.time_base,
        origin=clock.origin,
        timescale=clock.timescale,
        first=first,
        delay=delay,
        step=step,
        start=seconds(first / clock.timescale),
        end=None
        if track_survey.latest is None
        else seconds(float((track_survey.latest - clock.origin) * clock.time_base)),
        sizes=tuple(track_survey.sizes),
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
    refusal="its codec is unknown",
)
"""The carriage of a track that FFmpeg cannot read."""


def _is_unknown(stream: MediaStream) -> bool:
    context: Any = stream.codec_context
    return context is None and not is_flagged(stream, Disposition.attached_pic)


def _is_playable(stream: MediaStream) -> bool:
    """Whether FFmpeg supports the codec of the track, and it is not a cover."""
    context: Any = stream.codec_context
    return context is not None and not is_flagged(stream, Disposition.attached_pic)
