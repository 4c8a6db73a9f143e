"""What is added to Hypercorn, by layers; it knows ASGI and Hypercorn, and nothing of the product.

By layer of a connection: `tcp`, what is handed to it (`sending`), HTTP/1.1 (`h11`) or HTTP/2 (`http2`), and the
messages of `asgi`. `worker` is the process: every reason to stop starts the same drain. `install` puts all of it in
place, once the version of Hypercorn was recognised.

Guarantee to the application, wherever the guards are in place: `send` raises `TimeoutError` when the client took
nothing for `Limits.send_timeout` seconds, another `OSError` when it is gone, and `OSError(EFAULT)` when the
memory behind a view went away, or the file behind a span; whichever it was, and also when a send was cancelled
half-way, the connection is cut and never carries another byte. On HTTP/2 it is the stream that is reset instead.
"""
