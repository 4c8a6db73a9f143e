"""The pages: the player, the documentation of the API, and what stands there when the player is not built.

The build of the player is read when the server starts, and kept: about a megabyte. So a page and its scripts are of
one build, whatever is built meanwhile, and a name that a client chose is looked up in a table and never on the disk.
The page is one file at all its addresses and is asked for again each time; what it loads has a hash in its name and
is asked for once. Without a build the server works, and shows browsers how to make one: an editable install needs
neither Node nor a registry for npm.

`/docs` is rendered on the server from the description of the API. So it needs no script, no font and no host but this
one, and the strict policy of our pages holds there too.
"""
