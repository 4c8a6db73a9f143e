"""Below Quart: connection classes, exchanges, routes without Quart's request, and what holds for every response.

Quart's request and response cost as much as three requests without them. So a route that sends the bytes of a file,
and the one that writes down a playhead, is a plain function from a request to a response, registered by one decorator
both in Quart's URL map and to be called directly. What holds for every request (the rule for other sites, problem
documents, the 404 of an unknown path) is in functions that both ways call, and every test of a route runs both ways.
`TRIO_STREAM_DIRECT=0` sends all requests through Quart: for an application built around this one whose hooks have to
see them.

The last ASGI message of a response is sent outside the nursery. Hypercorn reports a disconnect while it still
finishes a response, and a cancellation just then would leave the connection neither kept alive nor closed.

Two kinds of server-sent events share one class: what it sends is written when the first listener asks for it, and the
same bytes go to all. A listener is asked for more only after it took the last event, so a slow one misses states and
nothing is kept for it. Listeners stay, so there are only so many places (`Services.listeners`). Requests over the
owner's socket take none: they come from a worker where they have one, or from a command of the operator.

Only the owner of the data writes and makes. A request that only it can serve is passed on over its Unix socket, in
the same HTTP, and comes back as fast as the client takes it; a client that leaves ends the owner's work too.
"""
