"""Applies edit lists to tracks: which samples are presented, in which order, and when.

0 is what a browser shows at 0 when it plays the file directly. Edit lists are interpreted as FFmpeg, and therefore
browsers, do: the first frame shown is the first one that starts at or after the cut. A delay becomes part of the
timestamps, and encoder priming an edit list in the init segment. A list of several edits (parts cut out, repeated, or
reordered) gives a new sample table, built once; the bytes stay where they are. One mistake of FFmpeg is not copied: an
empty edit in the middle is a pause (ISO/IEC 14496-12 section 8.6.6), where FFmpeg shows the beginning of the video
again.

A cut inside a GOP needs the frames from the previous keyframe on. Media Source drops frames presented before 0 and all
frames that depend on them: a video trimmed on a phone started up to a GOP late, with an edit list as well as with
negative timestamps. So each of these frames is presented for one tick of a finer timescale, one to two microseconds:
it is decoded, and no screen shows it. FFmpeg lists them among its frames. Audio is cut at packets; the first packet of
the next edit is decoded without the one before.

The duration is computed from the samples that exist: `mvhd` is not trusted, and neither is the last sample of a
fragmented file if it lasts more than a minute and longer than all samples before it together.
"""
