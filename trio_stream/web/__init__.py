"""The edge towards clients: Quart blueprints, one a room of the API, and the ASGI classes below them.

- `asgi.py`: from ASGI messages to Quart and back; where a client that leaves ends what works for it
- `exchange.py`: what one request or WebSocket holds, and gives back whatever happens
- `problems.py`: errors -> problem JSON, the one table
- `origins.py`: what pages of other sites may do
- `videos.py`: the list of videos
- `streams.py`: the bytes of a video over HTTP; the list of streams and how to end one
- `sockets.py`: the bytes of a video over WebSocket
- `metrics.py`: figures, as JSON and as Prometheus text
- `pages.py`: the page for people, health for machines, the API's description
- `views.py`: what the pages show, from names and the description to HTML
- `openapi.py`, `openapi_parts.py`, `schemas.py`: the description of the API, as data
"""
