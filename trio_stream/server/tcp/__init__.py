"""Connections: who may have one, how long one may wait, and what is done with one that goes.

Hypercorn shields sends from cancellation and gives them no deadline, takes a client that closed its half for gone,
ends the nursery of all connections with an unexpected error of one, and takes every connection. Here a send can be
cancelled, has a deadline for progress, and raises; the end of input counts after a second without a send; a fault
ends its own connection; one that was closed is gone at once, without waiting for its keep-alive timer or for a
request behind the last; connections are bounded in all and for one address, except from loopback and trusted proxies.

A send that did not end well tears the byte stream. The connection is cut: it carries no further byte and is reset
when it closes, so no client takes a torn body for a whole one.

What costs is not bytes but waking up for them:

- A connection on a plain socket sends at most 512 KiB before every other one has its turn.
- A client that once kept a send waiting for 50 ms is slower than its line. From then on 256 KiB may wait for it in
  the system (`TCP_NOTSENT_LOWAT`, which Trio sets to 16 KiB), and this process wakes once for each half of that. Fast
  clients keep 16 KiB: what lies in a socket's buffer is bookkeeping, and flat out it costs more than it saves.
- Nobody has a deadline of their own. All may wait equally long, so who began first is over first, and one task looks
  after everybody (`patience`).
- Whatever can go on at once does: a free lock, a place in a channel, a socket with room cost no turn of the event
  loop.
"""
