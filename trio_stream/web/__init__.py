"""The edge towards clients.

Floors, from the ground up: `asgi` (below Quart: connections, exchanges, direct routes, and what holds for every
response), `api` (one module for each part of the API), its description, and `site` (the pages).

Errors become responses in one table, `asgi/problems.py`. What one request holds (a file, a stream, a place among the
listeners) hangs on its `Exchange`, and goes with it.
"""
