"""One file a released schema, with the revision it makes and the one it comes from."""
