"""MP4 files (ISO base media file format), read and written as plain bytes: no I/O, no event loop.

Nothing that a file claims is trusted: a box must end inside its parent, a table inside its box, samples inside the
file. A hostile `moov` costs time and memory in proportion to its bytes, which are limited. A box may hold at most
10,000 others, each of which is read once, and at most 64 KiB go into an init segment. The fragments and the `moov`
before them may list at most as many samples as the file has bytes (at least 65,536, at most 16,777,216), whether or not
the samples exist; they are counted before any are expanded.

A two-hour video has half a million samples, so no table is a list of objects: tables stay arrays as in the file, and
only those of fragments are expanded.

Layers, from the bottom: `boxes` (structure), `reading` (tracks and their samples), `edits` (applies edit lists to
them), `writing` (init segments and fragment headers). Source for all of it: ISO/IEC 14496-12.
"""
