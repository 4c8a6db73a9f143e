"""Keeps the database as the folder is."""
