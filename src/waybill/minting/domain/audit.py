"""The registry's invariants, checked over every item of the table or of an export of it.

The items are joined in a temporary SQLite database on disk, so that memory does not grow with the registry.
"""

import itertools
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from waybill.minting.domain.canonical_ids import is_canonical_id
from waybill.minting.domain.scratch import scratch_database
from waybill.minting.domain.source_ids import (
    DOCUMENT_KEYS,
    EVENT_KEYS,
    FORWARD_KEYS,
    KEY_KEYS,
    RESERVATION_KEYS,
    REVERSE_KEYS,
    source_of_key,
)

_CONFIRMED_TOGETHER = 1000
_SCHEMA = """
CREATE TABLE forward (pk TEXT PRIMARY KEY, id TEXT, predecessor TEXT) WITHOUT ROWID;
CREATE TABLE reverse (id TEXT PRIMARY KEY, owner TEXT) WITHOUT ROWID;
CREATE TABLE reservation (id TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE event (pk TEXT PRIMARY KEY, id TEXT, previous TEXT, successor TEXT) WITHOUT ROWID;
"""
# Each finds the subjects of one rule: the source's key or the canonical ID, and what is wrong, with two values.
_RULES = (
    (
        "SELECT f.pk, f.id, NULL FROM forward f LEFT JOIN reverse r ON r.id = f.id WHERE r.id IS NULL",
        "has canonical ID {1}, which has no reverse item",
    ),
    (
        "SELECT f.pk, f.id, r.owner FROM forward f JOIN reverse r ON r.id = f.id "
        "WHERE r.owner IS NOT f.pk AND f.predecessor IS NULL",
        "has canonical ID {1}, which belongs to {2}",
    ),
    (
        "SELECT f.pk, f.id, f.predecessor FROM forward f LEFT JOIN forward p ON p.pk = f.predecessor "
        "WHERE f.predecessor IS NOT NULL AND (p.pk IS NULL OR p.id <> f.id)",
        "inherited {1} from {2}, which does not have it",
    ),
    (
        "SELECT 'C#' || r.id, r.owner, f.id FROM reverse r LEFT JOIN forward f ON f.pk = r.owner "
        "WHERE r.owner IS NOT NULL AND (f.pk IS NULL OR f.id <> r.id)",
        "belongs to {1}, whose canonical ID is {2}",
    ),
    (
        "SELECT 'C#' || r.id, r.id, NULL FROM reverse r LEFT JOIN reservation v ON v.id = r.id "
        "WHERE r.owner IS NULL AND v.id IS NULL",
        "has neither an owner nor a reservation",
    ),
    (
        "SELECT e.pk, e.id, NULL FROM event e LEFT JOIN reverse r ON r.id = e.id WHERE r.id IS NULL",
        "tells of {1}, which was never given away",
    ),
    (
        "SELECT e.pk, e.successor, NULL FROM event e LEFT JOIN reverse r ON r.id = e.successor "
        "WHERE e.successor IS NOT NULL AND r.id IS NULL",
        "names the successor {1}, which was never given away",
    ),
    (
        "SELECT e.pk, e.previous, NULL FROM event e LEFT JOIN event p ON p.pk = e.previous "
        "WHERE e.previous IS NOT NULL AND p.pk IS NULL",
        "comes after {1}, which is not there",
    ),
)


_COUNTS = (
    "SELECT count(*) FROM forward",
    "SELECT count(*) FROM reverse",
    "SELECT count(*) FROM reverse WHERE owner IS NULL",
    "SELECT count(*) FROM event",
)


@dataclass(frozen=True)
class Violation:
    """One thing that breaks an invariant. `subject`: a source identifier, a canonical ID or a key; `key`: its item."""

    subject: str
    problem: str
    key: str


@dataclass(frozen=True)
class Audit:
    """What an audit has seen: assignments (`forward`), canonical IDs (`reverse`, those reserved too), what is wrong."""

    forward: int
    reverse: int
    violations: tuple[Violation, ...]
    reserved: int = 0
    events: int = 0

    @property
    def items(self) -> int:
        """How many items it has seen, or a few less."""
        return self.forward + self.reverse + self.reserved + self.events


def audit(items: Iterable[Mapping[str, object]]) -> Audit:
    """Return the violations among `items`, plain attributes of every item of the table."""
    with scratch_database(_SCHEMA) as database:
        malformed = list(_load(database, items))
        counts = [database.execute(count).fetchone()[0] for count in _COUNTS]
        broken = [
            Violation(
                _shown(subject),
                problem.format(subject, _shown(first), _shown(second) if second else "missing"),
                subject,
            )
            for rule, problem in _RULES
            for subject, first, second in database.execute(rule)
        ]
    return Audit(counts[0], counts[1], (*malformed, *broken), counts[2], counts[3])


def confirmed(found: Audit, read: Callable[[Sequence[str]], Iterable[Mapping[str, object]]]) -> Audit:
    """Return `found` with those violations that still stand; `read` returns the items of some keys, consistently.

    A scan is no snapshot: of two items that were written together it may have seen one. Items are never changed, and
    what an item refers to was written with it or before: read after it, it is there.
    """
    standing: list[Violation] = []
    for some in itertools.batched(found.violations, _CONFIRMED_TOGETHER, strict=False):
        subjects = {each.key for each in some}
        items: dict[str, Mapping[str, object]] = {}
        asked: set[str] = set()
        waiting = subjects
        while waiting:
            asked |= waiting
            fresh = {str(item["pk"]): item for item in read(sorted(waiting))}
            items |= fresh
            waiting = {key for item in fresh.values() for key in _references(item)} - asked
        standing += [each for each in audit(items.values()).violations if each.key in subjects]
    return replace(found, violations=tuple(standing))


def _references(item: Mapping[str, object]) -> Iterator[str]:
    if "canonicalId" in item:
        yield f"{REVERSE_KEYS}{item['canonicalId']}"
    for name in ("predecessor", "owner"):
        if isinstance(key := item.get(name), str):
            yield key
    if "reservedAt" in item:
        yield RESERVATION_KEYS + str(item["pk"]).removeprefix(REVERSE_KEYS)
    if str(item["pk"]).startswith(EVENT_KEYS):
        canonical_id, previous = _event_of(str(item["pk"]))
        yield REVERSE_KEYS + canonical_id
        if previous:
            yield previous
    if isinstance(successor := item.get("replacedBy"), str):
        yield REVERSE_KEYS + successor


def _event_of(key: str) -> tuple[str, str | None]:
    """Return whose life the item of `key` is about, and the key of the item before it; `ValueError` for another key."""
    canonical_id, _, number = key.removeprefix(EVENT_KEYS).partition("#")
    if not number.isdecimal() or int(number) < 1:
        raise ValueError("its number is none")
    return canonical_id, f"{EVENT_KEYS}{canonical_id}#{int(number) - 1}" if int(number) > 1 else None


def _load(database: sqlite3.Connection, items: Iterable[Mapping[str, object]]) -> Iterator[Violation]:
    for item in items:
        key = str(item.get("pk"))
        try:
            if key.startswith(FORWARD_KEYS):
                source_of_key(key)
                row = (key, str(item["canonicalId"]), item.get("predecessor"))
                database.execute("INSERT INTO forward VALUES (?, ?, ?)", row)
                if not is_canonical_id(str(item["canonicalId"])):
                    yield Violation(_shown(key), f"has {item['canonicalId']}, which is no canonical ID", key)
            elif key.startswith(REVERSE_KEYS):
                owner = None if "reservedAt" in item and "owner" not in item else str(item["owner"])
                database.execute("INSERT INTO reverse VALUES (?, ?)", (key.removeprefix(REVERSE_KEYS), owner))
            elif key.startswith(RESERVATION_KEYS):
                database.execute("INSERT INTO reservation VALUES (?)", (key.removeprefix(RESERVATION_KEYS),))
            elif key.startswith(EVENT_KEYS):
                event = (key, *_event_of(key), item.get("replacedBy"))
                database.execute("INSERT INTO event VALUES (?, ?, ?, ?)", event)
            elif not key.startswith((KEY_KEYS, DOCUMENT_KEYS)):
                yield Violation(key, "is neither a source nor a canonical ID", key)
        except KeyError as error:
            yield Violation(key, f"is malformed: it has no {error.args[0]}", key)
        except ValueError as error:
            yield Violation(key, f"is malformed: {error}", key)
        except sqlite3.IntegrityError:
            yield Violation(_shown(key), "comes twice", key)


def _shown(value: str) -> str:
    try:
        return str(source_of_key(value)) if value.startswith(FORWARD_KEYS) else value.removeprefix(REVERSE_KEYS)
    except ValueError:
        return value
