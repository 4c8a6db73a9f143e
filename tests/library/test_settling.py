"""When folders are looked at once more."""

from math import inf

import trio
import trio.testing

from trio_stream.library.scan.settling import RETRY, RescanQueue


async def test_what_settles_is_looked_at_when_it_may_rest(autojump_clock: trio.testing.MockClock) -> None:
    again = RescanQueue()
    assert again.next() == inf
    again.once_settled("a", 2)
    await trio.sleep(1)
    assert again.take(trio.current_time(), []) == set()
    again.once_settled("a", 2)  # it was written to meanwhile
    await trio.sleep(1.5)
    assert again.take(trio.current_time(), []) == set()
    await trio.sleep(0.5)
    assert again.take(trio.current_time(), []) == {"a"}
    assert again.next() == inf


async def test_what_fails_again_and_again_is_not_put_off(autojump_clock: trio.testing.MockClock) -> None:
    again = RescanQueue()
    again.after_failure("a")
    due = again.next()
    await trio.sleep(RETRY / 2)
    again.after_failure("a")
    assert again.next() == due


async def test_what_was_heard_of_is_looked_at_once(autojump_clock: trio.testing.MockClock) -> None:
    again = RescanQueue()
    again.once_settled("a", 2)
    again.after_failure("b")
    assert again.take(trio.current_time(), ["a", "c"]) == {"a", "c"}
    assert again.take(trio.current_time() + RETRY, []) == {"b"}
