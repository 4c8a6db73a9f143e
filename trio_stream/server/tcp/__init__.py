"""Connections: how many are accepted, how long they may wait, and what happens when they end.

Hypercorn shields sends from cancellation and gives them no deadline. It treats a client that closed its half as gone,
ends the nursery of all connections when one has an unexpected error, and accepts every connection. Here:

- A send can be cancelled, has a deadline for progress, and raises.
- The end of input counts as leaving after a second without a send.
- A fault ends its own connection only.
- A closed connection ends at once. It does not wait for its keep-alive timer or for a pipelined request.
- Connections are limited in total and per address, except from loopback and trusted proxies.

A send that fails leaves the byte stream torn. The connection is then cut: it carries no further byte and is reset when
it closes, so no client mistakes a torn body for a complete one.

The cost is not in the bytes but in waking up for them:

- A connection on a plain socket sends at most 512 KiB before every other connection has its turn.
- A client that once kept a send waiting for 50 ms is slower than its network. From then on, up to 256 KiB wait for it
  in the kernel (`TCP_NOTSENT_LOWAT`, which Trio sets to 16 KiB), and this process wakes once for each half of that.
  Fast clients stay at 16 KiB: at full speed, a fuller socket buffer costs more than it saves.
- There is no deadline per connection. All timeouts are equal, so the one that began first expires first, and one task
  handles them all (`timeouts`).
- Nothing that can continue at once takes a turn of the event loop: a free lock, room in a channel, room in a socket.
"""
