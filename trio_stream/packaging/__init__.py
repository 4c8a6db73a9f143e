"""A file as HLS and DASH present it: segment boundaries, playlists and manifests, and the bytes of each segment.

Nothing here reads a file or waits: the input comes from `mp4` (or a remuxing job), the output is text and lists of
byte ranges. Nothing is built in advance. Sources: RFC 8216 and the draft of its second edition (HLS), ISO/IEC 23009-1
(DASH), ISO/IEC 23000-19 (CMAF).

Segments begin at keyframes and last about 6 seconds (the first two 2 and 4, so that playback starts sooner). A keyframe
of an open GOP, which needs the GOP before it, is used only if no other is within 6 seconds. Audio and subtitles are cut
at the same times. The rule depends on the file alone, so files of one title with the same keyframes get the same
segment boundaries. (An open GOP that makes the decoder discard frames it has not seen after a seek, as x264 writes with
B-pyramid, makes Chromium's software H.264 decoder fail, for the file as for its segments: hls.js #7774. Played from the
beginning it works.)

The version of these rules (`cutting.SCHEME`) is part of the URL of each segment (`v1-4`), of its entity tag, and of
what is cached. So a URL always returns the same bytes, and when the rules change, no client mixes old and new segments.

A presentation also lists the omitted tracks, each with a reason and a code; a refused file has a reason too. A file is
refused (422) if it is encrypted, if none of its codecs is supported in fragmented MP4, if no part of its tracks is
presented, or if it exceeds a limit: 10,000 entries in an edit list, a track presented about eight times, 65,536 samples
between two keyframes, four days, 100,000 segments in all tracks. A few MP4 and QuickTime files are remuxed because
describing them requires reading samples: AC-3 without `dac3`, H.264 as `avc2`, tables that count single audio samples
instead of packets.

A master playlist offers all files of a title whose segments begin at the same frames as those of the requested file;
others are left out with a warning in the log. So the best file plays with those that match it, and alone if none does;
a client that requests another file by its id gets that one. The audio of the first file that has some is used for all.
If a part of a track has a codec that cannot be packaged, that time range is left out.

Where the coding changes, HLS gets another `EXT-X-MAP` and no `EXT-X-DISCONTINUITY`. RFC 8216 section 4.3.2.3 requires
one if the format, the tracks or the timestamps change, which they do not. With one, hls.js places what follows by the
durations in the playlist: audio that changed between two keyframes came 40 ms late, with a stall. FFmpeg's own HLS
demuxer reads only the first init segment of a playlist, so it decodes changed audio wrongly. DASH gets a new period at
each change, at the nearest video segment boundary; audio between the change and that boundary is in no period, and DASH
players leave it out.

The trickplay playlist has keyframes as segments of their own. Byte ranges of the other segments would require the exact
size of each header when the playlist is written, and a header that lists samples which are not in the range.
"""
