"""The pages: the player, the documentation of the API, and what stands there when the player is not built."""
