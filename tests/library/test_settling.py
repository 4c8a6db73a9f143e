"""When folders are scanned again."""

from math import inf

import trio
import trio.testing

from trio_stream.library.scan.settling import RETRY, RescanQueue


async def test_an_unsettled_folder_is_scanned_once_it_may_have_settled(
    autojump_clock: trio.testing.MockClock,
) -> None:
    queue = RescanQueue()
    assert queue.next() == inf
    queue.once_settled("a", 2)
    await trio.sleep(1)
    assert queue.take(trio.current_time(), []) == set()
    queue.once_settled("a", 2)  # it was written to meanwhile
    await trio.sleep(1.5)
    assert queue.take(trio.current_time(), []) == set()
    await trio.sleep(0.5)
    assert queue.take(trio.current_time(), []) == {"a"}
    assert queue.next() == inf


async def test_repeated_failures_do_not_postpone_a_scan(autojump_clock: trio.testing.MockClock) -> None:
    queue = RescanQueue()
    queue.after_failure("a")
    due = queue.next()
    await trio.sleep(RETRY / 2)
    queue.after_failure("a")
    assert queue.next() == due


async def test_a_changed_folder_is_scanned_once(autojump_clock: trio.testing.MockClock) -> None:
    queue = RescanQueue()
    queue.once_settled("a", 2)
    queue.after_failure("b")
    assert queue.take(trio.current_time(), ["a", "c"]) == {"a", "c"}
    assert queue.take(trio.current_time() + RETRY, []) == {"b"}
