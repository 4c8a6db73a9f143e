"""The path of the bytes: files mapped once, streams that own their tasks, and the registry that knows them all."""
