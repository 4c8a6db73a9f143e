"""The folder of videos, and what the database records about it.

The folder is the source of truth; the database describes it. Streaming does not depend on the database:
`/api/stream/{name}` and the plain list read the folder itself, so a file can be played as soon as it exists.

Layers, from the bottom up: `naming` (rules for names), `folder` (the file system), `records` (SQL), `scan` (keeps the
database in step with the folder), `background` (generates derived files).

Terms. A *video* is a name: its id is random and stays with the path, even if the bytes there change. A *content* is
bytes: size, modification time and a fingerprint. Its *revision* is a hash of these. The revision is the ETag, and part
of the URL of every derived file. A *title* is what viewers think of as one film. It may have several files; one of
them *leads*.

    renamed, moved, its folder renamed       the same id, the same revision
    edited in place, or replaced by name     the same id, a new revision
    copied, hard-linked, linked              a new id; the same revision if the time was preserved
    removed                                  missing; it gets its id back when the file returns
    renamed over another                     the id of its new name; the video under its old name is missing
"""
