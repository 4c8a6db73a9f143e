"""What is known of media, as plain data and pure rules: what packaging, the library and the worker all speak of."""
