"""`python -m trio_stream.media.worker`: run the worker until its standard input ends."""

from trio_stream.media.worker.forking import main

main()
