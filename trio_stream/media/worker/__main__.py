"""`python -m trio_stream.media.worker`: the worker, which ends with its standard input."""

from trio_stream.media.worker.forking import main

main()
