"""Files of media as FFmpeg opens them: what is in them, their clocks, keyframes, parts and ends.

One clock. A file may show any time where it begins: MPEG always does, fragments of MP4, Matroska, WebM and FLV that
were cut out of something longer now and then. Everything that is said of a file counts from where its presentation
begins, and `facts.start` says what its own clock shows there. MP4 is asked by its tables (`mp4/edits`), because its
segments are made of these; others begin at their first packet, if that is more than a second late. A browser that
plays such a file itself begins at the file's own time, so the page takes segments. Matroska that begins more than
half a second before 0 begins there, as in FFmpeg and mpv; Chromium leaves that part out when it plays the file
itself.

What is missing. A file that was cut off says how long it was to be: MP4 by its tables, Matroska, AVI and FLV by their
sizes; MPEG-TS says nothing. `duration` is that of the whole, so the share that was watched is right; `facts.until` is
where what is there ends (of a large AVI about where), and `reason` says it in words. `mvhd` is not believed, nor a
last sample of a fragment that lasts for hours.

Late tracks. FFmpeg learns how a track of a stream is coded from its packets, and looks at 5 MB or five seconds of
them. If something is still unknown after that, probe, pictures, outline and init segment look at 30 MB or 50 s
(`open_described`). A segment is made with the first look: its outline has all it needs.

Parts. Recordings joined byte by byte (`cat a.ts b.ts`) are one timeline of several stretches of bytes, each with its
own clock. A seam is where the time of a track goes back by more than 0.1 s, or the time of the file leaps by more
than 10 s (FFmpeg's `-dts_delta_threshold`); what leaps less is a hole and stays one (mpv bridges it from 5 s on).
Five packets have to agree on the new clock, as one alone may be damaged. The first byte of a part is found among the
transport packets, so the tables just before it belong to it. Probe, posters and tiles find parts by the clock at some
512 places: in a file of over 32 MiB they may overlook one that lies between two; the outline, which reads everything,
finds it.

Programmes. A transport stream may hold several films and PyAV does not tell them apart, so the tables of its first 4
MiB are read here. Tracks that are only in programmes without the video that is played are left out, with that reason.

Opening. FFmpeg gets bytes and no name, may take them for a container that videos come in and for nothing else, and
can open nothing that a container names. It refuses a whole MP4 file for one track without a description of its
samples, as cameras write for data of their own; it is shown such a file without that track.
"""
