"""Run by `test_player.py`: the server, with the player that is built in the folder `PLAYER` names."""

import os
from pathlib import Path

from trio_stream.app import create_app

app = create_app(player_folder=Path(os.environ["PLAYER"]))
