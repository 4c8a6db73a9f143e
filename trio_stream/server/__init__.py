"""Additions to Hypercorn, by layer. They depend on ASGI and Hypercorn, and not on the rest of the product.

The layers of a connection are `tcp`, the objects it sends (`sending`), HTTP/1.1 (`h11`) or HTTP/2 (`http2`), and the
messages of `asgi`. `worker` is the process: every reason to stop starts the same drain. `install` replaces classes of
Hypercorn, all or none, when the application is imported and before a worker serves. It relies on the internals of
Hypercorn 0.18. With any other version it changes nothing, logs a warning, and streams are sent as copies.

Where the guards are installed, the application can rely on this: `send` raises `TimeoutError` if the client accepted
nothing for `Limits.send_timeout` seconds, another `OSError` if the client is gone, and `OSError(EFAULT)` if the memory
behind a view or the file behind a byte range has gone away. In each case, and also when a send is cancelled halfway,
the connection is cut and never carries another byte. On HTTP/2 the stream is reset instead.

`docs/upstream` describes the faults of Hypercorn and how to reproduce them. Each module's docstring says what it
changes, and `tests/server` shows that each fault occurs without the guard and not with it. Two faults are in
Hypercorn's master process and remain: the exit code of a worker is lost, and new connections hang while workers drain.
`serving` replaces that master.

HTTP/2 without TLS and HTTP/3 are off by default (`Limits.h2c`, `Limits.http3`). A plain port responds with 505 to
HTTP/2 with prior knowledge, and ignores `Upgrade: h2c`. h2c lets requests bypass the rules of a proxy that forwards
`Upgrade`, and HTTP/3 in Hypercorn has no backpressure.
"""
