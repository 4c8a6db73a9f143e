"""Text tracks in MP4 that FFmpeg treats as data, because it has no decoder for them."""

from av.container import InputContainer

from trio_stream.media.jobs import MediaFile
from trio_stream.mp4.boxes import Malformed
from trio_stream.mp4.reading.locating import locate
from trio_stream.mp4.webvtt import TextTrack, text_tracks


def text_tracks_of(container: InputContainer, file: MediaFile) -> list[TextTrack]:
    """Return these tracks, numbered as in FFmpeg; none if the file is not MP4. Does not move the position of `file`."""
    if not container.format.name.startswith("mov,") or file.size is None:
        return []
    others = {stream.index for stream in (*container.streams.video, *container.streams.audio)}
    if len(others) == len(container.streams):
        return []
    try:
        tracks = text_tracks(locate(file.read_at, file.size).moov)
    except Malformed:
        return []
    return [track for track in tracks if track.index < len(container.streams) and track.index not in others]
