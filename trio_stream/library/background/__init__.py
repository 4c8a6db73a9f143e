"""What is made of the videos in the background, and the files that hold it.

The keeper makes, one row at a time and in this order: the facts of every new content (job `probe`), WebVTT of its
text tracks and of the files beside it (`subtitle_tracks`, `subtitle_file`), a poster with a blur hash and trickplay
sheets (`artwork`). All of it runs in the sandbox at idle priority. Artwork takes at most `TRIO_STREAM_ARTWORK_SHARE` of
the machine; the child keeps to that itself, by pausing.

What fails because of the file is written down with its reason, and tried again only when the content is another one.
What fails because of the disk or the server is tried again later.

A file that was made is named by the digest of its bytes (`derived/ab/abcd….jpg`). The address of a poster holds the
revision and that digest: it returns these bytes or nothing, so it is cached for ever. The track of preview tiles is
put together when it is asked for, and named by its digest as well. Once a day the sweeper removes what no row refers
to, and has made again what is lost.
"""
