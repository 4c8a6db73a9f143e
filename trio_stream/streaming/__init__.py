"""The path of the bytes: files mapped once, streams that own their tasks, and the registry that knows them all.

sizing.py     how large the next chunk is (pure)
runs.py       runs of a file, taken apart and put together (pure)
maps.py       one descriptor and one map a file, shared by everyone who streams it
disk.py       the only place that waits for a disk, in threads of its own
pump.py       body parts -> chunks, through a bounded channel
stream.py     one viewer: a nursery, a channel, a cancel scope, counters, an ending
registry.py   who streams what now; admits, refuses, ends
"""
