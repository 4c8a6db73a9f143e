"""The edge towards clients: Quart blueprints, one a room of the API, and the ASGI classes below them.

- `asgi.py`: from ASGI messages to Quart and back; where a client that leaves ends what works for it
- `exchange.py`: what one request or WebSocket holds, and gives back whatever happens
- `problems.py`: errors -> problem JSON, the one table
- `conditions.py`: `If-Match` where nothing has an entity-tag
- `origins.py`: what pages of other sites may do
- `packing.py`: long JSON, packed for who takes that
- `videos.py`: lists and pages of videos, what is known of one and what people say of it, its bytes by its id
- `made.py`: posters, preview tiles and subtitles, at addresses that never change
- `watch_state.py`: playheads, what to go on with, history, export and import
- `library.py`, `events.py`: the library as a whole, and how the work for it is getting on
- `shapes.py`: rows of the database as JSON
- `forward.py`: what only the owner of the data may do, done by the owner
- `streams.py`: the bytes of a video over HTTP; the list of streams and how to end one
- `sockets.py`: the bytes of a video over WebSocket
- `metrics.py`: figures, as JSON and as Prometheus text
- `player.py`: the page for people, and what it loads
- `built.py`: the built player, as it is sent
- `pages.py`: health for machines, the API's description
- `views.py`: what our own pages show, from the description to HTML
- `openapi.py` (with `openapi_bytes.py`, `openapi_library.py`, `openapi_parts.py`), `schemas.py` (with
  `schemas_library.py`, `schemas_facts.py`, `schemas_watch_state.py`): the description of the API, as data
"""
