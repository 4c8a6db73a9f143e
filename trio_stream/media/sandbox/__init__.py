"""The server's side of the process that reads media."""
