"""A file as HLS and DASH see it: where its segments begin, what manifests say, and of which bytes a segment is made.

Nothing here reads a file or waits: what goes in is what `mp4` (or a remuxing job) found, what comes out is text and
lists of parts. Sources: RFC 8216 and its draft of a second edition (HLS), ISO/IEC 23009-1 (DASH), ISO/IEC 23000-19
(CMAF)."""
