"""Measurements of Trio Stream beside other servers, and of ways to move bytes; `scripts/bench` runs them."""
