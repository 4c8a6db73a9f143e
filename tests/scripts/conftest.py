"""Tests of this room run when the scripts have changed since they last passed."""

from pathlib import Path

import pytest

ROOM = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.parent == ROOM:
            item.add_marker(pytest.mark.thorough("scripts"))
