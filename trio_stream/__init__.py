"""Trio Stream: a self-hosted video streaming server in which every byte, process and task has an owner."""

from importlib.metadata import version

__version__ = version("trio-stream")
