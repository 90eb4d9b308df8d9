"""A temporary SQLite database on disk, for what need not fit into memory."""

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path


@contextmanager
def scratch_database(schema: str) -> Iterator[sqlite3.Connection]:
    """Make a database with the tables of `schema`; it is gone after the block."""
    with (
        tempfile.TemporaryDirectory(prefix="waybill-") as folder,
        closing(sqlite3.connect(Path(folder) / "scratch.sqlite")) as database,
    ):
        database.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;" + schema)
        yield database
