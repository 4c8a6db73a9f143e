"""HTTP/2: what is received, what is sent, and one stream.

In Hypercorn one stream's trouble ends the connection or the server, a shut window holds nobody back, a response is
buffered without limit, an unfinished one neither ends nor is reset, rapid resets cost without limit, and a
connection's last requests lose the rest (`docs/upstream/h2.md`). Here what happens to a stream happens to it alone. A
stream holds 64 KiB, then its `send` waits, with a deadline for progress; a response ends whole or is reset. A
connection ends that is 200 resets or 2,000 frames without content ahead. The last requests are answered, and a
client's GOAWAY ends nothing. WebSockets over HTTP/2 (RFC 8441) follow the rules of `asgi/websocket.py`.
"""
