"""From a requested video to the response: the index of its file, its title, its segments.

This package combines the catalog, the database and the rules of packaging.

What is cached, and where:

    indexes          memory, 128 MiB, least recently used dropped first; about 8 MB for two hours of video
    presentations    the database (a tenth of a percent of an index), and 32 MiB of memory; so after a restart no file
                     is read again until a client plays it
    manifests        memory, 32 MiB, until the title they describe changes
    remuxed segments disk, `TRIO_STREAM_SEGMENT_CACHE`; segments of MP4 files are never cached, but read from the file

If several clients request the same thing, it is read or built once, in a task of its own (`single_flight`). For an
index or a segment, a client that disconnects does not affect the others, and when the last one does, the work is
cancelled. An outline, once started, is finished even without clients, because it is stored; it is deleted with the last
video that has the content.

A segment of a file whose index is in memory needs no thread and no database: the file is looked for where the content
was last found, and the open file itself shows which revision it is.

While something is being built, nothing is sent, so no failed write shows that the client has gone: a waiting request
has a task that listens to the client (`Exchange.run_while_connected`).

Only the owner of the data parses files and builds segments. Another worker opens cached segments itself, as each file
is complete and its name identifies it; it forwards all other requests to the owner. The owner does not notice such use
when it removes the least recently used files. Nothing in the cache is synced: after a reboot, with another version of
the program, or under other rules, the folder is emptied.
"""
