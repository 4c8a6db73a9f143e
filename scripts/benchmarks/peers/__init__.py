"""Servers of other kinds over the same folder, each as its own documentation would have one write it."""
