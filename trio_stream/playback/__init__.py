"""From a video that was asked for to what is sent: the index of its file, its title, its segments.

Here the catalog, the database and the rules of packaging meet.

What is kept, and where:

    indexes          memory, 128 MiB, the last used longest; some 8 MB for two hours of film
    presentations    the database (a tenth of a percent of an index), and 32 MiB of memory; so a restart reads no film
                     again until somebody plays it
    manifests        memory, 32 MiB, for as long as the title they are about says the same
    segments made    disk, `TRIO_STREAM_SEGMENT_CACHE`; segments of MP4 are never kept, they are made of the file

Whatever is read, found out or made for several who ask is made once, in a task of its own (`single_flight`). For an
index and a segment, who leaves changes nothing for the others, and with the last of them the work is cancelled. An
outline that has begun goes on to its end even if all have left, because it is kept; with the last video that has the
content it is forgotten.

A segment of a file whose index is in memory starts no thread and asks no database: where a content was found once it
is looked for again, and the open file says itself which revision it is.

While something is made nothing is sent that could fail, so whoever waits has a task that listens to the client
(`Exchange.run_while_connected`).

Only the owner of the data looks into files and makes segments. Another worker opens kept segments itself, as each
file is whole and its name says what it is; for the rest it passes the request on to the owner. What only such a
worker used is not used in the eyes of the budget. Nothing kept is synced: after a start of the machine, of another
version of the program, or under other rules, the folder is emptied.
"""
