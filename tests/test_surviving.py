"""A server that is killed under load keeps what it acknowledged, and continues; `scripts/torture` runs longer."""

import os
import random
from pathlib import Path

import pytest
from sqlalchemy.engine import URL

from tests.databases import Databases
from tests.depth import large
from tests.torturing.rounds import torture

SEED = int(os.environ.get("TORTURE_SEED", random.randrange(1 << 32)))


@pytest.mark.parametrize("rounds", [1, large(5)])
def test_a_killed_server_keeps_what_it_acknowledged(
    databases: Databases, database_url: URL, tmp_path: Path, rounds: int
) -> None:
    print(f"TORTURE_SEED={SEED}")
    sqlite = databases.dialect == "sqlite"
    report = torture(
        tmp_path / "torture",
        rounds=rounds,
        seed=SEED,
        database_url=None if sqlite else database_url.render_as_string(hide_password=False),
        longest=1.5,
    )
    print(report)
    assert report.acknowledged > 0
    assert report.files > 0
