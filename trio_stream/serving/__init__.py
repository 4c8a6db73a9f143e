"""`trio-stream serve`: Hypercorn's worker, in this process or in several that are supervised.

    options.py      the command line and the file of Hypercorn, as its `Config`
    listening.py    the listening sockets; each that cannot be had is one sentence
    endings.py      what the end of a process says
    worker.py       a worker in a process of its own
    supervisor.py   ... and its parent: who dies is named and replaced
    running.py      one start of the server, from its options to its exit code

It knows Hypercorn and serves any application; only `cli` names ours.
"""
