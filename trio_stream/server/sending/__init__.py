"""What is handed to a socket: bytes, views, and spans of files."""
