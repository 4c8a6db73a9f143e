"""A process that writes like a server and reports acknowledged writes, until it is killed.

Several tasks each count up in a separate row, and add a row per turn. A line `TASK TURN` on standard output is an
acknowledged write. Arguments: the database, the turn before the first, and the largest size of a file (0: no limit).
"""

import os
import resource
import sys
from collections.abc import Callable

import trio
from sqlalchemy import Connection

from tests.store.rows import add_videos, put, video
from trio_stream.errors import StoreUnavailable
from trio_stream.store.database import open_database
from trio_stream.store.writer import Writer

TASKS = 8


def step(task: int, turn: int) -> Callable[[Connection], None]:
    def change(connection: Connection) -> None:
        put(f"task {task}", str(turn))(connection)
        add_videos(connection, [video(f"{task}-{turn}", words=f"task{task} turn{turn} {'x' * 60}")])

    return change


async def count_up(writer: Writer, task: int, first_turn: int) -> None:
    turn = first_turn
    while True:
        turn += 1
        try:
            await writer.write(step(task, turn))
        except StoreUnavailable as error:
            os.write(1, f"{type(error).__name__} {turn}\n".encode())
            return
        os.write(1, f"{task} {turn}\n".encode())


async def main(url: str, first_turn: int, max_file_size: int) -> None:
    async with open_database(url) as database, trio.open_nursery() as nursery:
        writer = Writer(database)
        await nursery.start(writer.run)
        async with trio.open_nursery() as tasks:
            if max_file_size:
                resource.setrlimit(resource.RLIMIT_FSIZE, (max_file_size, resource.RLIM_INFINITY))
            for task in range(TASKS):
                tasks.start_soon(count_up, writer, task, first_turn)
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        await writer.write(put("after"))
        os.write(1, b"after 0\n")
        nursery.cancel_scope.cancel()


if __name__ == "__main__":
    trio.run(main, sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
