"""Pairs of tests: what a guard mends is shown without it as well, so that it goes when Hypercorn no longer needs it."""

import pytest

plain = pytest.mark.thorough("hypercorn")
"""A test of Hypercorn by itself, without guards."""

both = pytest.mark.parametrize("guarded", [pytest.param(False, marks=plain), True])
"""Run by Hypercorn itself, and with the guards."""
