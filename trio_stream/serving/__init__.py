"""`trio-stream serve`: Hypercorn's worker, in this process or in several supervised ones.

This package depends on Hypercorn and serves any application. Only `cli` names ours.

Hypercorn's own parser reads the options and the configuration file. Each address is opened separately, so an error can
name it, and without `SO_REUSEPORT`, so a busy port is an error with several workers too. If a server listens on a Unix
socket already, the socket is left alone; Hypercorn would unlink it.

The supervisor has one task for each worker. The task starts the worker, waits for its end, and starts another one after
a pause (`backoff`, as for background services). Workers are processes spawned by `multiprocessing`, so each knows its
parent: workers of one parent do not compete for the data folder, and they drain when the parent is gone. A plain
subprocess would need other means for both. Workers get the listening sockets, and read the options themselves, because
the contents of a Python configuration file cannot always be pickled.

A worker reports that it serves when the application does. Until the first worker has reported, nothing is restarted and
no second worker is started, so an error at the start is shown once. SIGINT is blocked in a worker until then: a
terminal sends it to all processes, and Python would end those that are still importing with a traceback.
"""
