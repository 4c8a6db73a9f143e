"""Tracks of text in MP4 that FFmpeg takes for data, because it knows no decoder of them."""

from av.container import InputContainer

from trio_stream.media.jobs import MediaFile
from trio_stream.mp4.boxes import Malformed
from trio_stream.mp4.reading.locating import locate
from trio_stream.mp4.webvtt import TextTrack, text_tracks


def text_tracks_of(container: InputContainer, file: MediaFile) -> list[TextTrack]:
    """Those tracks, numbered as FFmpeg does; none where the file is no MP4. The position of `file` stays."""
    if not container.format.name.startswith("mov,") or file.size is None:
        return []
    known = {each.index for each in (*container.streams.video, *container.streams.audio)}
    if len(known) == len(container.streams):
        return []
    try:
        found = text_tracks(locate(file.read_at, file.size).moov)
    except Malformed:
        return []
    return [each for each in found if each.index < len(container.streams) and each.index not in known]
