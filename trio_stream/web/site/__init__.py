"""The pages: the player, the API reference, and the page shown while the player is not built.

The server reads the built player into memory when it starts: about a megabyte. So a page and its scripts always
come from the same build, and file names that clients send are looked up in a table, never on the disk. The
player is one HTML file at all its URLs, which browsers revalidate each time; the files it loads have a hash in
their names and are cached forever. Without a build the server still works, and shows browsers how to build the
player: an editable install needs neither Node nor an npm registry.

`/docs` is rendered on the server from the OpenAPI description, in English and Brazilian Portuguese (`i18n`,
`docs_pt_br`). It needs no script, no font and no other host, so the strict policy of our pages applies there
too.
"""
