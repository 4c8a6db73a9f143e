"""Run by `test_player.py`: the server with the player in the folder `PLAYER`."""

import os
from pathlib import Path

from trio_stream.app import create_app

app = create_app(player_folder=Path(os.environ["PLAYER"]))
