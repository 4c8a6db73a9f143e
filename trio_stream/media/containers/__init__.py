"""Media files as FFmpeg opens them: their tracks, clocks, keyframes, parts and ends.

One clock. A file's clock may show any time at the beginning of the file. In MPEG that is the rule; it also occurs in
MP4 fragments, Matroska, WebM and FLV that were cut from a longer recording. All reported times count from where the
presentation begins, and `MediaInfo.start` is what the file's own clock shows there. For MP4 it comes from the tables
(`mp4/edits`), because its segments are built from them. Other files begin at their first packet, if that is more than a
second late. A browser that plays such a file directly begins at the file's own time, so the page uses segments.
Matroska that begins more than half a second before 0 begins there, as in FFmpeg and mpv; Chromium leaves that part out
when it plays the file directly.

Truncated files. What is left of a truncated file says how long the whole was: MP4 by its tables, Matroska, AVI and FLV
by their sizes; MPEG-TS does not say. `duration` is that of the whole, so the watched share is right. `MediaInfo.until`
is where the available part ends (in a large AVI approximately), and `missing` says it in words. We ignore `mvhd`, and a
last sample of a fragment that claims to last for hours.

Late tracks. FFmpeg learns how a track of a stream is coded from its packets, and examines 5 MB or five seconds of them.
If something is still unknown then, probe, artwork, outline and init segment examine 30 MB or 50 s (`open_described`). A
segment needs only the first examination: its outline has the rest.

Parts. Recordings joined byte by byte (`cat a.ts b.ts`) are one timeline of several byte ranges, each with its own
clock. A seam is where the time of a track goes back by more than 0.1 s, or the time of the file jumps by more than 10 s
(FFmpeg's `-dts_delta_threshold`). A smaller jump is a gap and stays one (mpv bridges gaps of 5 s or more). Five packets
must agree on the new clock, because a single one may be damaged. The first byte of a part is found among the transport
packets, so the tables just before it belong to it. Probe, posters and thumbnails find parts by the clock at about 512
places: in a file of over 32 MiB they may miss a part between two places. The outline reads everything and finds all.

Programmes. A transport stream may hold several programmes. PyAV does not separate them, so we read the tables of its
first 4 MiB. Tracks that are only in programmes without the played video are left out, with that reason.

Opening. FFmpeg gets bytes and no name. It may only try container formats that are used for videos, and cannot open
other files that a container refers to. It refuses a whole MP4 file if one track has no sample description, as cameras
write for their own data; so it gets such a file without that track.
"""
