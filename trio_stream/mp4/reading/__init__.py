"""From the boxes of a file to the tracks there are and their samples.

`moov` is found at either end; if the file is fragmented, its boxes are walked and each `moof` is read. A fragmented
file gives the same tables and is a file like any other from then on.

Several sample entries in one track, which chunks or fragments refer to, make stretches of it: another init segment
from the very sample on. Entries that tell a decoder the same count as one. Chromium plays such a file itself only as
its first entry says, and fails where another begins; so facts say that the coding changes (`recoded`), and the page
takes segments. Samples of another codec, or of one that is not packaged, are left out with the reason and from when
to when: FFmpeg decodes no other codec than the first either, and a browser that lacks one of two would be offered
nothing. Parameter sets in samples are not looked for, as no sample is read: where each keyframe brings them, as
encoders write them, all plays.

QuickTime movies are packaged as MP4 is. Their sound entries are written anew, because browsers read neither
QuickTime's versions of them nor the atom `wave`.

Durations that were meant as negative numbers (`stts`) keep their sum, as in FFmpeg, and time does not go back.
"""
