"""The order of an import: every source after the predecessor that it inherits from, in constant memory."""

import itertools
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from waybill.minting.domain.map_import import parse_line
from waybill.minting.domain.scratch import scratch_database
from waybill.minting.domain.source_ids import key_of
from waybill.minting.models import Proposal

_SCHEMA = """
CREATE TABLE alias (number INTEGER PRIMARY KEY, key TEXT, predecessor TEXT, line TEXT, depth INTEGER);
CREATE INDEX alias_by_key ON alias (key);
CREATE INDEX alias_by_predecessor ON alias (predecessor);
"""
_FIRST = "UPDATE alias SET depth = 0 WHERE predecessor NOT IN (SELECT key FROM alias)"
_NEXT = """
UPDATE alias SET depth = :depth + 1
WHERE depth IS NULL AND predecessor IN (SELECT key FROM alias WHERE depth = :depth)
"""
# Those that nothing leads to, the members of cycles, come last; the registry refuses them.
_IN_ORDER = "SELECT number, line FROM alias ORDER BY depth IS NULL, depth, number"


@dataclass(frozen=True)
class ImportFile:
    """A checked file: how many assignments it holds, and these in the order in which they can be written."""

    count: int
    proposals: Iterator[Proposal]


@contextmanager
def in_order(read: Callable[[], Iterable[str]]) -> Iterator[ImportFile]:
    """Check every line and yield the assignments; `read` reads the file from its start, and is called twice.

    Raises
    ------
    InvalidInputError
        A line holds no assignment; names it. Nothing has been yielded then.
    """
    with scratch_database(_SCHEMA) as database:
        count = 0
        for number, line, proposal in _parsed(read()):
            count += 1
            if proposal.predecessor:
                row = (number, key_of(proposal.source), key_of(proposal.predecessor), line, None)
                database.execute("INSERT INTO alias VALUES (?, ?, ?, ?, ?)", row)
        originals = (proposal for _, _, proposal in _parsed(read()) if proposal.predecessor is None)
        yield ImportFile(count, itertools.chain(originals, _aliases(database)))


def _parsed(lines: Iterable[str]) -> Iterator[tuple[int, str, Proposal]]:
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield number, line, parse_line(line, number)


def _aliases(database: sqlite3.Connection) -> Iterator[Proposal]:
    database.execute(_FIRST)
    for depth in itertools.count():
        if not database.execute(_NEXT, {"depth": depth}).rowcount:
            break
    for number, line in database.execute(_IN_ORDER):
        yield parse_line(line, number)
