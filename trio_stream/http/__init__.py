"""The rules of HTTP that this server follows, as pure functions: no event loop, no framework, no clock, no file.

One call decides everything about a response to GET or HEAD before a byte of the file is read: preconditions,
`If-Range`, `Range`, status, headers, and the body as a list of parts with known lengths (`representation`).

Files are recognised as videos by their suffix, from a table of our own. It decides which files are served at all, so it
must not depend on the machine's `mime.types`.

The rule for other sites (CORS) is our own, too. The same rule must hold for HTTP, for WebSockets, which CORS does not
cover, and for routes that bypass the framework, even behind a proxy that terminates TLS. It consists of plain
functions of three header values, which are tested as a table.
"""
