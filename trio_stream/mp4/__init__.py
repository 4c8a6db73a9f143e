"""MP4 files (ISO base media file format), read and written over plain bytes: no I/O, no event loop.

`boxes` reads the structure, `movie` what a `moov` says of its tracks, `fragmented` what `moof` boxes add to it,
`tables` keeps the samples of a track in compact arrays, `timeline` tells media time from presentation time, and
`fragments` writes init segments and the heads of fragments. Source for all of it: ISO/IEC 14496-12."""
