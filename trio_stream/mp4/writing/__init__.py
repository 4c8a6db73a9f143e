"""The boxes that stand before the bytes of samples: init segments, and the heads of fragments.

A segment is `styp`, `moof` and the head of `mdat`, which are computed, and then the track's own bytes where they lie
in the file.

Players of HLS take the time at which the first segment is decoded for the beginning of its playlist, and some take
the end of the shortest track for that of all. So the first sample of each track is decoded at 0 and presented when it
is in the file, and the last one of a short track lasts until the end. No sample is added, and none is presented at
another time; the one exception are pictures that begin very late (`LATE` in `heads`). Sound that begins late is not
moved.

Edit lists in init segments, not negative offsets: CMAF allows both for reordered pictures, but FFmpeg reads negative
offsets of fragments otherwise than those of files, and pictures would lag behind the sound by some of them.
"""
