"""The database of the library, on SQLite or PostgreSQL. It is used from worker threads only.

Both have the same code and the same tests. We use SQLAlchemy Core without the ORM: queries return rows, so there are no
objects to keep in step with them. Queries run synchronously in threads, which costs a fifth of a millisecond, because
SQLAlchemy's asynchronous engines, aiosqlite and psycopg's asynchronous connections do not run on Trio.

    a read                runs in a thread under the database's limiter, with one connection per thread; in one
                          transaction that sees a single state and cannot write
    a cancelled read      its caller continues at once. SQLite interrupts the statement; on PostgreSQL it ends with its
                          timeout (30 s). The thread keeps its slot until then; closing waits for it
    a write               goes through a bounded channel to the writer task. All waiting changes (at most 256) go into
                          one transaction, and return once it is committed
    a change that raises  the transaction is rolled back and its changes run one by one. So a change may run twice, and
                          must only change the database
    no database           locked, full or unreachable: the whole group raises `StoreUnavailable` and is not retried
    a deferrable change   waits for others as long as its caller allows (a playhead: 50 ms), or until an urgent one
    a cancelled caller    its change may still be written
    shutdown              accepted changes are committed, then the writer refuses new ones

An acknowledged write is on the disk. A killed process loses nothing (`tests/store/test_surviving.py`; `STORE_KILLS=100`
runs more rounds). `synchronous=FULL` protects against a power cut, which no test covers. Only search differs between
the dialects (`search`); a property test checks that both give the same results.
"""

from sqlalchemy import Connection, Row

__all__ = ["Connection", "Row"]
"""What a read receives and returns, for modules that only pass these on and use no SQL."""
