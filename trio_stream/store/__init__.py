"""The database: what the library knows, on SQLite or PostgreSQL, reached from worker threads only.

tables.py      every table, as one MetaData
search.py      the search index, the one thing the two dialects do differently
failures.py    what a driver raises -> our errors
engines.py     how each dialect is opened: SQLAlchemy engines
database.py    reads, each in a worker thread and a transaction of its own
writer.py      the one writer: changes, grouped into short transactions
migrations/    from any released schema to the newest
"""
