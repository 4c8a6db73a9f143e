"""Metrics, samples and logs of the server.

Once per second the sampler measures the process and adds the sample to the history: five arrays of 600 numbers, 24 KB,
which never grow. `services` passes in a plain function that reports the streams. There is no other task and no other
wake-up, so an idle server costs next to nothing. Everything is about one process; each worker has its own.

Objects with state have `statistics()`, which returns a frozen dataclass. Metrics read only that.
"""
