"""`python -m trio_stream` runs the `trio-stream` command."""

from trio_stream.cli import main

main()
