"""The tests in this folder run when the scripts have changed since they last passed."""

from pathlib import Path

import pytest

from tests.depth import mark_folder


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    mark_folder(items, Path(__file__).parent, "scripts")
