"""`trio-stream serve`: Hypercorn's worker, in this process or in several that are supervised.

It knows Hypercorn and serves any application; only `cli` names ours.

Options and file are read by Hypercorn's own parser. Each address is opened by itself, so an error can name it, and
without `SO_REUSEPORT`, so that a busy port is an error with several workers too. A Unix socket at which somebody
listens is left to them; Hypercorn would unlink it.

The supervisor has one task for each worker, which starts it, waits for its end, and starts another one after a pause
(`backoff`, as for background services). Workers are processes that `multiprocessing` spawns, so each knows its
parent: workers of one parent are no rivals for the data folder, and they drain when it has gone. A plain subprocess
would have to be told both by other means. They get the listening sockets and read the options themselves, as what a
Python file defines cannot always be pickled.

A worker says that it serves once the application has said so. Until the first one has, nothing is restarted and no
second one started, so a reason not to start is said once. SIGINT is blocked in a worker until then: a terminal sends
it to all processes, and Python would end those that still import with a traceback.
"""
