"""What edit lists make of tracks: which samples are presented, in which order, and when.

0 is what a browser shows at 0 when it plays the file itself. Edit lists are read as FFmpeg reads them, and so
browsers: the first picture that begins at or after the cut is the first. A delay becomes part of the clock, priming
an edit list of the init segment. A list of several pieces (parts cut out, shown twice, in another order) gives a
table of samples of its own, made once; the bytes stay where they are. Where FFmpeg errs it is not followed: an empty
edit in the midst is a pause (ISO/IEC 14496-12 section 8.6.6), and FFmpeg shows the beginning of the film again.

A cut within a group of pictures needs the pictures from the keyframe before it on. Media Source throws away what is
presented before 0 and all that depends on it: a film trimmed on a phone began up to a group late, with an edit list
as with negative times. So each of these pictures is presented for one tick of a finer timescale, one to two
microseconds: it is decoded, and no screen shows it. FFmpeg lists them among its frames. Sound is cut at packets; the
first packet of the next piece is decoded without the one before.

How long a movie lasts its tables say, of the samples that are there: `mvhd` is not believed, nor a last sample of a
fragment that lasts for more than a minute and than all before it.
"""
