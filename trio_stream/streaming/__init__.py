"""The path of the bytes: files mapped once, streams that own their tasks, and the registry that knows them all.

One file, one descriptor. The pool has one entry for each content that is being streamed, with a count of its holders;
it is mapped, read-only, once somebody takes views of it. A hundred viewers of one film share the map and the kernel's
page cache. Each of them costs a few small objects, and buffers in the kernel.

How the bytes leave depends on what the connection takes (`Delivery`):

    ranges   plain HTTP/1.1, unless TRIO_STREAM_ZERO_COPY=0           `sendfile`, from the page cache to the socket
    views    WebSockets on plain HTTP/1.1; HTTP without `sendfile`    `write`, which copies into the socket's buffer
    copies   TLS and HTTP/2; a file that cannot be mapped             read into private memory

Views go only where they reach a system call untouched. If the file was truncated, a `write` of a mapped page fails
with `EFAULT`, while Python reading that page would die of SIGBUS. TLS and HTTP/2 read the bytes in user space, so
they get copies. A `sendfile` from behind the end of a file sends nothing, which is turned into the same `EFAULT`.

Nothing waits for a disk on the event loop: a chunk is put into the channel once its pages are in memory (`disk`). A
thread that hangs on a dead network disk takes one place of the limiter and nothing else. A page may be dropped again
between the check and the send; then the send waits for the disk. That is rare, and costs time only.

The channel holds two chunks. With the one being sent and the one waiting for a place at most four are on their way:
enough to have the next one ready, and few enough that `bytes_sent` is true and a seek wastes little.

    ranges and views over HTTP   at most 4 MiB      they cost no memory; large ones cost fewer wake-ups
    views over WebSocket         at most 256 KiB    a message cannot be cut off in the middle, so a seek waits for one
    copies                       at most 64 KiB     private memory for as long as the client takes to read it
    one copy and no other        at most 256 KiB    the same memory

A chunk begins at 16 KiB, so that a picture is there at once; byte ranges begin at 256 KiB, or at 4 MiB if that much is
in memory. The size follows the client (`sizing`). A chunk of the file reports what has gone while it is sent, so
`bytes_sent` is true however large it is.

A segment made just in time is some kilobytes of our own and then one track's bytes, in hundreds of byte ranges.
Ranges of 12 KiB or more on average are sent by a `sendfile` each. Shorter ones are gathered on their way out into one
buffer that all connections share (`server/sending`): one copy costs less than that many calls. Views of the map would
be cheaper still while its pages are mapped; but a viewer who asks for a segment now and then would pay a page fault a
range. A body that is one such chunk, as most segments of sound are, is read before it is sent: one message instead of
two. If something is not in memory, a thread fetches all of it first, with what lies between two ranges if that is less
than 128 KiB: a disk reads on sooner than it seeks, and who asks for the sound also asks for the pictures. On a plain
socket a segment of up to 4 MiB is sent as it is read, without the channel, so for a client that reads nothing it
holds one copy of at most 256 KiB; longer bodies over TLS and HTTP/2 hold four of 64 KiB. Measured in
`docs/benchmarks/gather.md`.

Before each chunk `fstat` compares size and modification time with those at the opening. A file that was renamed over
or deleted is whole behind its descriptor, so its viewers keep it. The last chunk is a copy, made before its own
check, so that a check follows every byte that was handed over (`pump`). Two things stay unnoticed: a write that
leaves size and modification time as they were; and, with `sendfile`, a rewrite in place while the last bytes wait in
the socket's buffer, because those are still pages of the file. `docs/operations.md` tells operators so.

A viewer who leaves leaves no reference cycle (`tests/web/test_garbage.py`), so everything they held is freed at that
moment. Errors that cross a nursery or a generator's context manager make cycles: catch them before that, or clear
their frames (`errors.let_go`).
"""
