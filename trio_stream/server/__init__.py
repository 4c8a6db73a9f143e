"""What is added to Hypercorn, by layers; it knows ASGI and Hypercorn, and nothing of the product.

By layer of a connection: `tcp`, what is handed to it (`sending`), HTTP/1.1 (`h11`) or HTTP/2 (`http2`), and the
messages of `asgi`. `worker` is the process: every reason to stop starts the same drain. `install` replaces classes of
Hypercorn, all or none, when the application is imported and before a worker serves. It knows the inside of the 0.18
line; any other version is left alone, with a warning, and streams are served with copies.

Guarantee to the application, wherever the guards are in place: `send` raises `TimeoutError` when the client took
nothing for `Limits.send_timeout` seconds, another `OSError` when it is gone, and `OSError(EFAULT)` when the memory
behind a view went away, or the file behind a byte range; whichever it was, and also when a send was cancelled half-way,
the connection is cut and never carries another byte. On HTTP/2 it is the stream that is reset instead.

Why each guard is there: `docs/upstream` has the faults of Hypercorn with reproductions. Each module's docstring says
what it changes, and `tests/server` shows each fault without the guard and gone with it. Two faults are the master's
and stay: the exit code of a worker is lost, and new connections hang while workers drain. `serving` does without that
master.

No HTTP/2 without TLS and no HTTP/3: `Limits.h2c` and `Limits.http3` are there, and off. A plain port answers 505 to
HTTP/2 that is assumed, and ignores `Upgrade: h2c`. h2c takes requests past the rules of a proxy that passes `Upgrade`
on, and HTTP/3 in Hypercorn has no backpressure.
"""
