"""A minimal server: runs jobs that never end, until it is killed. `python -m tests.media.holding FILE`"""

import os
import sys

import trio

from trio_stream.media.sandbox.sandbox import Sandbox

MISBEHAVING = (sys.executable, "-m", "tests.media.misbehaving")


async def main(path: str) -> None:
    sandbox = Sandbox(MISBEHAVING)
    file = os.open(path, os.O_RDONLY)
    async with trio.open_nursery() as nursery:
        await nursery.start(sandbox.serve)

        async def hold(job: str) -> None:
            await sandbox.run(job, file, deadline=3600)

        nursery.start_soon(hold, "spin")
        nursery.start_soon(hold, "sleep")
        await sandbox.run("echo", file, deadline=60)
        print("holding", flush=True)


if __name__ == "__main__":
    trio.run(main, sys.argv[1])
