"""All SQL of the library. Each function runs within a transaction of its caller.

Pages. A cursor holds the last key and row number of a page, and the next page starts after them in an index. So every
page costs the same, and pages stay correct when videos are added or removed in between. Natural order is a column of
bytes, and we fold words ourselves, so results do not depend on a database collation. A search with few hits (1,000)
sorts their keys. One with more hits walks the videos in order and tests each, which fills a page soon because many
match.

Moves. A new path with the fingerprint of a missing video is that video. Both are found by indexes over fingerprints,
with a separate index for missing videos. So a hundred thousand identical files take no longer than as many different
ones (`docs/benchmarks/scan.md`). If missing videos share a fingerprint but not their contents, a digest of all bytes
decides. The scan computes it as soon as two contents share a fingerprint, because once one of the files is gone it is
too late. Files that are mostly holes, such as new downloads, are not read for it: that could take hours.

Titles. The present member with the lowest `rank` leads (the highest resolution in a name, or the first in a title
file); the others are `part_of` it. That is decided in the transaction that adds, loses, moves or renames a member, in
time that grows with the families involved and not with the library. Readers see only leaders, through indexes of
leaders.

Playheads and history belong to the title. They are rows of its leader, and a new leader takes them over. A leader that
becomes a separate title keeps a copy, so when a title is split, the other files start without history. A missing file
is part of the current leader; a file that appears after all others are gone takes over from them. An edit of a version
by its id stays with that file until it leads; the file is found by the words of its own name, through its leader.
Title, description and tags go to a new leader that has none. Within one title they move, so an edit made while a file
was away is not undone when it returns. If a title file makes a separate video part of another title, they are copied. A
playhead update within half an hour continues its viewing; a video counts as watched at 90 %. Until there are
accounts, the only user is `local`. An export identifies videos by name and fingerprint, so any server can import it.

Files are added 64 per transaction, with one query per question for all of them. So a playhead update waits for one
such transaction at most.
"""
