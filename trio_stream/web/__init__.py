"""The web layer: everything that clients talk to.

Its layers, from the lowest: `asgi` (below Quart: connections, exchanges, direct routes, and rules for every response),
`api` (one module for each part of the API), `openapi` (its description), and `site` (the pages).

Errors become responses in one place, `asgi/problems.py`. The resources of a request (a file, a stream, a slot among
the listeners) belong to its `Exchange` and are released with it.
"""
