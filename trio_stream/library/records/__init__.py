"""All SQL of the library. Each function runs within one transaction of whoever calls it.

Pages. A cursor holds the last key and row number of a page, and the next page is what lies behind them in an index.
So every page costs the same, and pages stay right when videos come and go in between. Natural order is a column of
bytes, and words are folded by us, so no collation of a database has a say. A search with few hits (1,000) sorts their
keys; one with more walks the videos in order and tests each, which fills a page soon because so many match.

Moves. A new path with the fingerprint of a missing video is that video. Both are found by indexes over fingerprints,
those of missing videos apart, so a hundred thousand files of the same bytes take no longer than as many different
ones (`docs/benchmarks/scan.md`). If missing videos share a fingerprint but not their contents, a digest of all bytes
decides. It is made in the background as soon as two contents share a fingerprint: once one of them has gone it would
be too late. A file that is mostly holes, as a download that has just begun, gets no digest: reading terabytes of
nothing would hold up the rest.

Titles. Of the members that are there, the first by `rank` leads (the largest size in a name, or the order in a title
file); the others are `part_of` it. That is decided in the transaction that adds, loses, moves or renames a member, in
time that grows with the families in question and not with the library. All readers know only leaders, through indexes
of leaders.

Playheads and history belong to the title: they are rows of its leader, and a new leader takes them over. A leader
that becomes a film of its own keeps a copy, so of a title that comes apart the other files begin anew. A missing file
is part of whoever leads now; one that comes once all others are gone takes over in its turn. What people say of a
version by its id stays with that file until it leads; it is found by the words of its own name, as its leader. Title,
description and tags go to the new leader if it has none. Within one title they move, so what was edited while a file
was away does not come back; from a film of its own that a title file makes part of another they are copied. A
playhead that follows within half an hour continues its viewing; from 90 % on a video counts as watched. Until there
are accounts, the one user is `local`. An export names videos by name and fingerprint, so another server can take it.

64 files are taken up in one transaction, with one query for each question about all of them. So a playhead waits for
one such transaction at most.
"""
