"""The path of the bytes: files that are mapped once, streams that own their tasks, and the registry of all streams.

Each file has one descriptor. The pool has one entry for each file content that is being streamed, with a count of its
holders. The file is mapped, read-only, when views of it are needed. A hundred viewers of one video share the map and
the kernel's page cache. Each viewer costs a few small objects, and buffers in the kernel.

How the bytes are sent depends on the connection (`Delivery`):

    ranges   plain HTTP/1.1, unless TRIO_STREAM_ZERO_COPY=0           `sendfile`, from the page cache to the socket
    views    WebSockets on plain HTTP/1.1; HTTP without `sendfile`    `write`, which copies into the socket's buffer
    copies   TLS and HTTP/2; a file that cannot be mapped             read into private memory

Views are used only where they reach a system call unchanged. If the file was truncated, a `write` of a mapped page
fails with `EFAULT`, while reading that page from Python would kill the process with SIGBUS. TLS and HTTP/2 read the
bytes in user space, so they get copies. A `sendfile` from past the end of a file sends nothing; this is turned into the
same `EFAULT`.

The event loop never waits for a disk: a chunk enters the channel only when its pages are in memory (`disk`). A thread
that hangs on a dead network disk takes one place of the limiter and nothing else. A page may be dropped again between
the check and the send. Then the send waits for the disk, which is rare and costs only time.

The channel holds two chunks. With the one being sent and the one waiting for room, at most four are in flight. That is
enough to have the next one ready, and few enough that `bytes_sent` is accurate and a seek wastes little.

    ranges and views over HTTP   at most 4 MiB      they cost no memory; large ones cost fewer wake-ups
    views over WebSocket         at most 256 KiB    a message cannot be cut off in the middle, so a seek waits for it
    copies                       at most 64 KiB     private memory until the client has read it
    a single copy                at most 256 KiB    the same amount of memory

Chunks start at 16 KiB, so that the first frame appears at once. Byte ranges start at 256 KiB, or at 4 MiB if that much
is in memory. The size adapts to the client (`chunk_size`). A chunk of the file reports progress while it is sent, so
`bytes_sent` is accurate for chunks of any size.

A segment built just in time is a few computed kilobytes followed by the bytes of one track, in hundreds of byte ranges.
Ranges of 12 KiB or more on average are sent by one `sendfile` each. Shorter ones are gathered into one buffer that all
connections share (`server/sending`): one copy costs less than that many calls. Views of the map would be cheaper still
while its pages are mapped, but a viewer who requests a segment now and then would pay a page fault per range. A body
that is a single such chunk, as most audio segments are, is read before it is sent: one message instead of two. If any
of it is not in memory, a thread fetches all of it first, and the gaps between ranges too if they are under 128 KiB: a
disk continues to read faster than it seeks, and a client that requests the audio also requests the video. On a plain
socket, a segment of up to 4 MiB is sent while it is read, without the channel, so a client that reads nothing holds one
copy of at most 256 KiB. Longer bodies over TLS and HTTP/2 hold four copies of 64 KiB. See `docs/benchmarks/gather.md`
for measurements.

Before each chunk, `fstat` compares the size and modification time with those at the opening. A file that was deleted,
or replaced by renaming, is still complete behind its descriptor, so its viewers keep it. The last chunk is a copy, made
before its own check, so a check follows every byte that was sent (`pump`). Two cases stay unnoticed: a write that keeps
size and modification time, and, with `sendfile`, a rewrite in place while the last bytes wait in the socket's buffer,
because those are still pages of the file. `docs/operations.md` explains this to operators.

A viewer who leaves creates no reference cycle (`tests/web/test_garbage.py`), so everything they held is freed at once.
Errors that cross a nursery or a generator's context manager create cycles: catch them before that, or clear their
frames (`errors.release_traceback`).
"""
