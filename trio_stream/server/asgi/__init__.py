"""ASGI messages of HTTP and WebSocket, between a connection and the application.

Hypercorn converts every body to `bytes`, accepts request bodies of any length, and waits in silence for responses that
never end. It reports a disconnect while it still finishes a response: if a framework then cancels its tasks, the
connection is neither closed nor timed out. It accepts `permessage-deflate`, allows messages of 16 MiB, copies each one,
leaves refused handshakes open, and sends no pings.

Here a `memoryview` or a `FileChunk` is sent without a copy, and the scope says where this is possible. The scope also
has a way to learn that the server is stopping (`DRAINING`). Request bodies are limited by path. A response is finished
even if the application hears of a disconnect. WebSockets have no compression, messages of at most 16 KiB from clients,
views behind a short frame header, and a ping every 15 seconds.
"""
