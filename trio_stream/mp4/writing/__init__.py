"""Writes the boxes before the bytes of samples: init segments, and the headers of fragments.

A segment is `styp`, `moof` and the header of `mdat`, which are computed, followed by the track's own bytes from the
file.

HLS players take the decode time of the first segment for the beginning of its playlist, and some take the end of the
shortest track for that of all tracks. So the first sample of each track is decoded at 0 and presented at its time in
the file, and the last sample of a short track lasts until the end. No sample is added, and none is presented at another
time; the only exception is video that begins very late (`LATE` in `heads`). Audio that begins late is not moved.

Init segments have edit lists instead of negative offsets: CMAF allows both for reordered frames, but FFmpeg treats
negative offsets in fragments differently from those in files, and the video would lag behind the audio.
"""
