"""The database: what the library knows, on SQLite or PostgreSQL, reached from worker threads only.

It is the same code and the same tests for both. SQLAlchemy's Core is used, and no ORM: rows are asked for and shown,
and there are no objects to keep in step with them. It is used synchronously, in threads, which costs a fifth of a
millisecond: its asynchronous engines, aiosqlite and psycopg's asynchronous connections do not run on Trio.

    a read                a thread under the database's limiter, with as many connections as threads; one
                          transaction that sees one state and cannot write
    a cancelled read      its caller goes on at once. SQLite's statement is interrupted, PostgreSQL's ends with its
                          timeout (30 s). The thread keeps its place until then; closing waits for it
    a write               through a bounded channel to the one task that writes. Whatever waits (at most 256 changes)
                          goes into one transaction, and returns once that is committed
    a change that raises  the transaction is rolled back and its changes run one by one. So a change may run twice, and
                          does nothing but change the database
    no database           locked, full or out of reach is no change's fault: all of the group get `StoreUnavailable`
    a change in no hurry  says how long it can wait for others (a playhead: 50 ms); one in a hurry ends the wait
    a cancelled caller    what it had written may still be written
    the end               what was accepted is committed, then the writer refuses

An acknowledged write is on the disk. A process that is killed loses nothing (`tests/store/test_surviving.py`,
`STORE_KILLS=100` for more); for a power cut there is `synchronous=FULL`, which tests do not show. Search is the one
thing the dialects do differently (`search`); a property test holds them equal.
"""

from sqlalchemy import Connection, Row

__all__ = ["Connection", "Row"]
"""What a read is given and what it returns, for those who hand both on and know no SQL."""
