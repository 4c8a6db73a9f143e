"""`python -m trio_stream` is the `trio-stream` command."""

from trio_stream.cli import main

main()
