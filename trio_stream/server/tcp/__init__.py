"""Connections: who may have one, how long one may wait, and what is done with one that goes."""
