"""Pairs of tests: each fault is shown without its guard too, so that the guard can go when Hypercorn is fixed."""

import pytest

plain = pytest.mark.thorough("hypercorn")
"""A test of plain Hypercorn, without guards."""

both = pytest.mark.parametrize("guarded", [pytest.param(False, marks=plain), True])
"""Runs a test on plain Hypercorn and with the guards."""
