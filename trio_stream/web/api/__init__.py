"""The API and the bytes: one module for each part of it."""
