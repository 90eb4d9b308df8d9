"""The rows of SQLite databases: of each table a line with the names of its columns, then a line per row.

What was deleted and still lies in free pages is no row, and is not read.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from urllib.parse import quote

from waybill.scanning.domain.detection.budget import Budget, UnreadableError
from waybill.scanning.domain.detection.member import Member, named, on_disk, text_of
from waybill.scanning.domain.detection.tables import Rows, table_member

_VALUE_BYTES = 64 << 20


def database_members(outer: Member, budget: Budget) -> Iterator[Member]:
    """Yield the schema and every table of a database; values that are no text are told of behind their table.

    Raises
    ------
    UnreadableError
        It is no database, or a broken one.
    """
    with on_disk(outer, budget) as (path, size):
        connection = _opened(path)
        try:
            yield from _tables(outer, connection, budget, size)
        except sqlite3.Error as error:
            raise UnreadableError("ARCHIVE_BROKEN") from error
        finally:
            connection.close()


def _opened(path: str) -> sqlite3.Connection:
    # Nothing is written beside it, and what the database itself defines is run as by a stranger
    # (SQLite, "Defense Against The Dark Arts").
    connection = sqlite3.connect(f"file:{quote(path)}?mode=ro&immutable=1", uri=True)
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _VALUE_BYTES)
    connection.setconfig(sqlite3.SQLITE_DBCONFIG_DEFENSIVE, True)
    connection.setconfig(sqlite3.SQLITE_DBCONFIG_TRUSTED_SCHEMA, False)
    connection.text_factory = lambda text: text.decode("utf-8", "replace")
    return connection


def _tables(outer: Member, connection: sqlite3.Connection, budget: Budget, size: int) -> Iterator[Member]:
    schema = connection.execute("SELECT type, name, sql FROM sqlite_schema ORDER BY rowid").fetchall()
    budget.enter()
    statements = (f"{sql}\n" for _, _, sql in schema if sql)
    yield Member(named(outer, "schema", budget), text_of(statements, budget, size), plain=True)
    for kind, name, sql in schema:
        # What a virtual table shows lies in tables of its own, or outside of the file.
        if kind == "table" and not str(sql or "").upper().startswith("CREATE VIRTUAL"):
            yield from _table(outer, connection, str(name), budget, size)


def _table(outer: Member, connection: sqlite3.Connection, name: str, budget: Budget, size: int) -> Iterator[Member]:
    quoted = name.replace('"', '""')
    # A name cannot be a parameter; as an identifier in quotes it is nothing but a name.
    cursor = connection.execute(f'SELECT * FROM "{quoted}"')  # noqa: S608
    yield from table_member(
        outer, name, Rows([column[0] for column in cursor.description], _each(cursor)), budget, size
    )


def _each(cursor: sqlite3.Cursor) -> Iterator[Sequence[object]]:
    try:
        yield from cursor
    except sqlite3.Error as error:
        raise UnreadableError("ARCHIVE_BROKEN") from error
