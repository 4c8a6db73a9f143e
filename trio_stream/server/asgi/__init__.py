"""ASGI messages, of HTTP and of WebSocket, on their way between a connection and the application.

Hypercorn turns every body into `bytes`, takes request bodies of any length, waits in silence for responses that have
no end, and reports a disconnect while it still finishes a response: a framework that cancels its tasks on a
disconnect then leaves the connection neither closed nor timed. It agrees to `permessage-deflate`, allows messages of
16 MiB, copies each one, leaves refused handshakes open, and sends no pings.

Here a `memoryview` or a `FileChunk` passes through, and the scope says where that is so. It says as well how to learn
that the server is to end (`DRAINING`). Request bodies are bounded, by their path; a response is finished whatever the
application hears. WebSockets have no compression, messages of at most 16 KiB from clients, views behind a small
header of our own, and a ping every 15 seconds.
"""
