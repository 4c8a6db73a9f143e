"""The edge towards clients.

Floors, from the ground up: `asgi` (below Quart: connections, exchanges, direct routes, and what holds for every
response), `api` (one module for each part of the API), `openapi` (its description), `site` (the pages).
"""
