"""A segment as a list of parts: a computed header, then the track's own bytes from the file."""

from trio_stream.byte_ranges import ByteRanges
from trio_stream.http.bodies import Part
from trio_stream.mp4.boxes import Malformed
from trio_stream.mp4.writing.fragments import fragment_head, init_segment
from trio_stream.packaging.selection import PackagedTrack


def init(*packaged: PackagedTrack) -> bytes:
    """The init segment of one or several tracks, coded as the first sample of each."""
    return init_segment(*((track.track, track.timeline) for track in packaged))


def segment(
    packaged: PackagedTrack, first: int, stop: int, number: int, size: int, *, track: int = 1
) -> tuple[Part, ...]:
    """Samples `first` to `stop` as segment `number`, counted from 0, of a file of `size` bytes. Raises `Malformed`.

    `track` is the number of the track in its init segment, counted from 1.
    """
    try:
        head = fragment_head(
            packaged.samples,
            packaged.timeline,
            first,
            stop,
            number + 1,
            track,
            video_timescale=packaged.track.timescale if packaged.track.handler == "vide" else 0,
        )
    except ValueError as error:
        raise Malformed("moov/trak/mdia/minf/stbl", str(error)) from None
    ranges = packaged.samples.byte_ranges(first, stop, size)
    return (head, ByteRanges(ranges)) if ranges else (head,)
