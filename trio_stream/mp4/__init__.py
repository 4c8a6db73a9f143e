"""MP4 files (ISO base media file format), read and written over plain bytes: no I/O, no event loop.

Nothing a file claims is believed: a box ends inside its parent, a table inside its box, samples inside the file. A
hostile `moov` costs time and memory in proportion to its bytes, which are bounded. A box holds at most 10,000 others,
each read once, and at most 64 KiB go into an init segment. Fragments, and the index before them, name at most as many
samples as the file has bytes (65,536 in any file, 16,777,216 at most), whether or not these are there; that is
counted before any is expanded.

A film of two hours has half a million samples, so no table is a list of objects: tables stay arrays as the file has
them, and only those of fragments are expanded.

Floors, from the ground up: `boxes` (structure), `reading` (tracks and their samples), `edits` (what edit lists make
of them), `writing` (init segments and heads of fragments). Source for all of it: ISO/IEC 14496-12.
"""
