"""The folder of videos, and what is known of it.

The folder is the truth; the database says what is known of it. Nothing waits for the database: `/api/stream/{name}`
and the plain list go to the folder itself, so a file can be played the moment it is there.

Floors, from the ground up: `naming` (rules of names), `folder` (the file system), `records` (SQL), `scan` (keeps the
database as the folder is), `background` (what is made of the videos).

The words. A *video* is a name: its id is random and stays with the path, whatever bytes come to lie there. A
*content* is bytes: size, modification time and a fingerprint. Its *revision* is a hash of these; it is the ETag, and
part of every address of something that was made from the bytes. A *title* is what people take for one film, and may
have several files; one of them *leads*.

    renamed, moved, its folder renamed       the same id, the same revision
    edited in place, or replaced by name     the same id, another revision
    copied, hard-linked, linked              another id; the same revision if the time was kept
    removed                                  missing; it comes back with its id when the file does
    renamed over another                     the id of the name it has now; the one it had is missing
"""
