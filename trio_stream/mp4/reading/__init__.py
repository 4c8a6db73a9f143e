"""From the boxes of a file to its tracks and their samples.

`moov` is found at either end; if the file is fragmented, its boxes are walked and each `moof` is read. A fragmented
file gives the same tables, and is treated like any other file from then on.

A track with several sample entries, which chunks or fragments refer to, is split into spans: each has its own init
segment, starting at the exact sample. Entries that give a decoder the same information count as one. Chromium plays
such a file directly only as its first entry says, and fails where another begins; so the media info reports that the
coding changes (`recoded`), and the page uses segments. Samples of another codec, or of one that cannot be packaged, are
left out with the reason and the time range: FFmpeg also decodes only the first codec, and a browser that lacks one of
two codecs would be offered nothing. Parameter sets in samples are not searched for, as no sample is read: playback
works if each keyframe repeats them, as encoders do.

QuickTime movies are packaged like MP4. Their audio sample entries are rewritten, because browsers support neither
QuickTime's versions of them nor the atom `wave`.

Durations that were meant as negative numbers (`stts`) keep their sum, as in FFmpeg, and time does not go back.
"""
