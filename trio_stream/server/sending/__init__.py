"""What is handed to a socket: bytes, views, and byte ranges of files.

Hypercorn has no message for pieces of a file, nor for a head and its body together. Bytes of our own wait for what
follows (up to 8 KiB) and leave in the same packet, with the head of the response before them.

Short runs are gathered in one buffer that is there for everybody, in pieces of at most 256 KiB. What lies between two
runs is read with them if it is at most 8 KiB, into a buffer that nobody looks at: a call costs as much. What a socket
does not take of a piece is kept for it.
"""
