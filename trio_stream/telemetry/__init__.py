"""What the server says of itself.

Once a second the sampler looks at the process, and the sample goes into the history: five arrays of 600 numbers, 24
KB, which never grow. What it has to know of streams comes from a plain function that `services` passes in. There is
no other task and no other wake-up, so a server at rest does not notice. All of it is about one process; each worker
has its own.

Objects with state have `statistics()`, which returns a frozen dataclass; metrics read that and nothing else.
"""
