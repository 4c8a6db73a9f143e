"""A file as HLS and DASH see it: where its segments begin, what manifests say, and of which bytes a segment is made.

Nothing here reads a file or waits: what goes in is what `mp4` (or a remuxing job) found, what comes out is text and
lists of parts. Nothing is made in advance. Sources: RFC 8216 and its draft of a second edition (HLS), ISO/IEC 23009-1
(DASH), ISO/IEC 23000-19 (CMAF).

Cuts are at keyframes, near to 6 seconds (2 and 4 for the first two, so that playing starts sooner). A keyframe whose
open group needs the group before it is taken only if no other is within 6 seconds. Sound and subtitles are cut at the
same places. The rule looks at nothing but the file, so files of one title whose keyframes agree are cut alike. (An
open group that tells the decoder to forget pictures not seen after a seek, as x264's with pyramids of B pictures,
makes Chromium's software decoder of H.264 fail, of the file as of its segments: hls.js #7774. From the beginning it
plays.)

The number of the rules (`cutting.SCHEME`) is part of the address of each segment (`v1-4`), of its tag, and of what is
kept. So an address always returns the same bytes, and when the rules change nobody joins segments of both.

A presentation names the tracks that are left out as well, each with a sentence and a code; a refused file is kept
with its reason. A file is refused (422) if it is encrypted, if no codec of it has a place in fragmented MP4, if
nothing of its tracks is presented, or if a bound is exceeded: 10,000 entries of an edit list, a track presented some
eight times, 65,536 samples between two keyframes, four days, 100,000 segments of all tracks. A few MP4 and QuickTime
files are remuxed because describing them takes a look into samples: AC-3 without `dac3`, H.264 as `avc2`, tables that
count samples of sound instead of packets.

A master playlist offers all files of a title that are cut where its own file is, to a picture; if one is not, the log
says so. So the leader plays with those that agree with it, and alone if none does; who asks for another file by its
id gets that one. The sound is that of the first file that has some, for all. A coding of one part that cannot be
packaged is left out from when to when.

Where a coding changes, HLS has another `EXT-X-MAP` and no `EXT-X-DISCONTINUITY`. RFC 8216 section 4.3.2.3 demands one
if the format, the tracks or the timestamps change, which they do not. With one, hls.js places what follows by the
durations in the playlist: a sound that changes between two keyframes came 40 ms late, with a stall. FFmpeg's own HLS
reads only the first init segment of a playlist, so it decodes a changed sound wrongly. DASH has a period from each
change on, at the nearest cut of the pictures; sound between the change and that cut is in no period, and players of
DASH leave it out.

The playlist for trick play has keyframes as segments of their own. Byte ranges of segments would need the exact size
of each header when the playlist is written, and a header that names samples which are not there.
"""
