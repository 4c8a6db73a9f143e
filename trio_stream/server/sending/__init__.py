"""The data that is sent to a socket: bytes, views, and byte ranges of files.

Hypercorn has no message for ranges of a file, nor for a head together with its body. Computed bytes (up to 8 KiB) wait
for the data after them and leave in the same packet, with the head of the response before them.

Short ranges are gathered in one shared buffer, at most 256 KiB at a time. A gap of at most 8 KiB between two ranges is
read too, into a scratch buffer, because a system call costs as much. Data that the socket does not accept is kept for
the next call.
"""
