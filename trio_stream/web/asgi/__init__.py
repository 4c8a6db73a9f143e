"""Below Quart: connection classes, exchanges, routes without Quart's request, and rules for every response.

Quart's request and response cost as much as three requests without them. So a route that sends the bytes of a file, and
the one that stores a playhead, is a plain function from a request to a response. One decorator registers it both in
Quart's URL map and for direct calls. The rules for every request (other sites, problem documents, the 404 of an unknown
path) are in functions that both ways call, and every test of a route runs both ways. `TRIO_STREAM_DIRECT=0` sends all
requests through Quart, for an application built around this one whose hooks must see them.

The last ASGI message of a response is sent outside the nursery. Hypercorn reports a disconnect while it is
still finishing a response, and a cancellation at that time would leave the connection neither kept alive nor closed.

Two kinds of server-sent events share one class. An event is written when the first listener needs it, and the same
bytes go to all. The next event for a listener is written only after it has received the last one, so a slow listener
misses states and nothing is buffered for it. Listeners stay connected, so their number is limited
(`Services.listeners`). Requests over the owner's socket do not count: they come from a worker that
already counts them, or from a command of the operator.

Only the owner of the data writes and generates files. A request that only it can serve is forwarded over its Unix
socket, also as HTTP, and the response comes back as fast as the client reads it. If the client disconnects, the
owner stops its work, too.
"""
