"""HTTP/2: what is received, what is sent, and one stream."""
