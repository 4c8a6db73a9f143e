"""HTTP/2: receiving, sending, and one stream.

Hypercorn has these faults (`docs/upstream/h2.md`): an error of one stream ends the connection or the server, a closed
window holds no sender back, responses are buffered without limit, an unfinished response neither ends nor is reset,
rapid resets cost without limit, and the last requests of a connection lose the rest of their responses.

Here each stream fails alone. A stream buffers 64 KiB; then its `send` waits, with a deadline for progress. A response
is complete or reset. A connection ends if it is 200 resets or 2,000 frames without content ahead of its allowance. The
last requests of a connection get their responses, and a client's GOAWAY ends nothing. WebSockets over HTTP/2 (RFC 8441)
follow the rules of `asgi/websocket.py`.
"""
