"""The rules of HTTP this server keeps, as pure functions: no event loop, no framework, no clock, no file.

Everything about a response to GET or HEAD is decided in one call, before a byte of the file is read: preconditions,
`If-Range`, `Range`, status, headers, and the body as a list of parts whose lengths are known (`representation`).

Files are recognised by their suffix, from a table of our own: it decides which files are served at all, so it must
not depend on the machine's `mime.types`.

The rule for other sites (CORS) is our own too. The same rule has to hold for HTTP, for WebSockets, which CORS does
not cover, and for routes that bypass the framework, also behind a proxy that ends TLS. As plain functions of three
header values it is tested as a table.
"""
