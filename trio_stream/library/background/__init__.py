"""Background jobs, and the derived files they generate.

The jobs run one row at a time, in this order: probe every new content (`probe`); convert its text tracks and its
subtitle files to WebVTT (`subtitle_tracks`, `subtitle_file`); generate a poster with a blur hash and trickplay sheets
(`artwork`). All of it runs in the sandbox at idle priority. Artwork uses at most `TRIO_STREAM_ARTWORK_SHARE` of the
machine; the child process pauses to stay within its share.

If a job fails because of the file, the reason is recorded and the job is tried again only when the content changes. If
it fails because of the disk or the server, it is tried again later.

A derived file is named by the digest of its bytes (`derived/ab/abcd….jpg`). The URL of a poster holds the revision and
that digest. It returns exactly these bytes or nothing, so it can be cached forever. The thumbnail track is generated
per request, and is named by its digest too. Once a day the sweeper removes files that no row refers to, and schedules
lost files to be generated again.
"""
