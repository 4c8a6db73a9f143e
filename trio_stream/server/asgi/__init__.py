"""ASGI messages, of HTTP and of WebSocket, on their way between a connection and the application."""
