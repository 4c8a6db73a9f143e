"""Compares Trio Stream with other servers, and measures ways to move bytes; `scripts/bench` runs it."""
