"""One file per released schema, with its revision and the revision before it."""
