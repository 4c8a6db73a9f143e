"""`trio-stream serve`: Hypercorn's worker, in this process or in several that are supervised.

It knows Hypercorn and serves any application; only `cli` names ours.
"""
