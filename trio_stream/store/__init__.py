"""The database: what the library knows, on SQLite or PostgreSQL, reached from worker threads only."""
