"""The registry's invariants, checked over every item of the table or of an export of it.

The items are joined in a temporary SQLite database on disk, so that memory does not grow with the registry.
"""

import sqlite3
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from waybill.minting.canonical_ids import is_canonical_id
from waybill.minting.source_ids import source_of_key

_FORWARD, _REVERSE = "S#", "C#"
_SCHEMA = """
CREATE TABLE forward (pk TEXT PRIMARY KEY, id TEXT, predecessor TEXT) WITHOUT ROWID;
CREATE TABLE reverse (id TEXT PRIMARY KEY, owner TEXT) WITHOUT ROWID;
"""
# Each finds the subjects of one rule: the source's key or the canonical ID, and what is wrong, with two values.
_RULES = (
    (
        "SELECT f.pk, f.id, NULL FROM forward f LEFT JOIN reverse r ON r.id = f.id WHERE r.id IS NULL",
        "has canonical ID {1}, which has no reverse item",
    ),
    (
        "SELECT f.pk, f.id, r.owner FROM forward f JOIN reverse r ON r.id = f.id "
        "WHERE r.owner <> f.pk AND f.predecessor IS NULL",
        "has canonical ID {1}, which belongs to {2}",
    ),
    (
        "SELECT f.pk, f.id, f.predecessor FROM forward f LEFT JOIN forward p ON p.pk = f.predecessor "
        "WHERE f.predecessor IS NOT NULL AND (p.pk IS NULL OR p.id <> f.id)",
        "inherited {1} from {2}, which does not have it",
    ),
    (
        "SELECT r.id, r.owner, f.id FROM reverse r LEFT JOIN forward f ON f.pk = r.owner "
        "WHERE f.pk IS NULL OR f.id <> r.id",
        "belongs to {1}, whose canonical ID is {2}",
    ),
)


@dataclass(frozen=True)
class Violation:
    """One thing that breaks an invariant; `subject` is a source identifier, a canonical ID or a key."""

    subject: str
    problem: str


@dataclass(frozen=True)
class Audit:
    """What an audit has seen: assignments (`forward`), claimed canonical IDs (`reverse`), and what is wrong."""

    forward: int
    reverse: int
    violations: tuple[Violation, ...]


def audit(items: Iterable[Mapping[str, Any]]) -> Audit:
    """Return the violations among `items`, plain attributes of every item of the table."""
    with _database() as database:
        malformed = list(_load(database, items))
        counts = [database.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in ("forward", "reverse")]  # noqa: S608
        broken = [
            Violation(_shown(subject), problem.format(subject, _shown(first), _shown(second) if second else "missing"))
            for rule, problem in _RULES
            for subject, first, second in database.execute(rule)
        ]
    return Audit(counts[0], counts[1], (*malformed, *broken))


def _load(database: sqlite3.Connection, items: Iterable[Mapping[str, Any]]) -> Iterator[Violation]:
    for item in items:
        key = str(item.get("pk"))
        try:
            if key.startswith(_FORWARD):
                source_of_key(key)
                row = (key, str(item["canonicalId"]), item.get("predecessor"))
                database.execute("INSERT INTO forward VALUES (?, ?, ?)", row)
                if not is_canonical_id(str(item["canonicalId"])):
                    yield Violation(_shown(key), f"has {item['canonicalId']}, which is no canonical ID")
            elif key.startswith(_REVERSE):
                database.execute("INSERT INTO reverse VALUES (?, ?)", (key.removeprefix(_REVERSE), str(item["owner"])))
            else:
                yield Violation(key, "is neither a source nor a canonical ID")
        except (KeyError, ValueError) as error:
            yield Violation(key, f"is malformed: {error}")
        except sqlite3.IntegrityError:
            yield Violation(_shown(key), "comes twice")


@contextmanager
def _database() -> Iterator[sqlite3.Connection]:
    with (
        tempfile.TemporaryDirectory(prefix="waybill-audit-") as folder,
        closing(sqlite3.connect(Path(folder) / "audit.sqlite")) as database,
    ):
        database.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;" + _SCHEMA)
        yield database


def _shown(value: str) -> str:
    try:
        return str(source_of_key(value)) if value.startswith(_FORWARD) else value.removeprefix(_REVERSE)
    except ValueError:
        return value
