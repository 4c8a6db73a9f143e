"""The rules of HTTP this server keeps, as pure functions: no event loop, no framework, no clock, no file."""
