"""Other servers for the same folder, each written as its own documentation recommends."""
