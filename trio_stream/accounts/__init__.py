"""Who may do what.

Invariant: the grant of a request is decided once, and no other package decides what somebody may do.
"""
