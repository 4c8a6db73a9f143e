"""Trio Stream: a self-hosted video streaming server in which every byte, process and task has an owner."""

__version__ = "0.1.0"
