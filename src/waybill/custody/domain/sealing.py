"""Sealing: leaves go into the log, each once, by one writer at a time, whatever dies in between.

A step reads the slips of minutes that are over, takes what the log does not have yet, and writes down what it will do:
the plan. From there every byte is determined. Whoever comes second, after a death or beside a first, reads the plan and
writes the same bytes; what is there with other bytes is a fork, and nothing more is sealed.

Whoever may write table and bucket gets nothing of theirs signed: a leaf and a plan count with a keyed hash alone.
"""

import hmac
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby
from typing import NamedTuple, Protocol

from waybill.core.clock import iso, moment_of
from waybill.custody.domain.log_files import Log, LogFiles
from waybill.custody.domain.merkle import EMPTY, Edge
from waybill.custody.domain.recording import MINUTE, LeafKey
from waybill.custody.domain.sealed_form import Keys, id_of, key_of, mac_of, parsed
from waybill.custody.errors import BadProofError, LogForkedError
from waybill.custody.models import Leaf

# A function of recording ends within one minute; the clocks of two may differ.
SETTLING = timedelta(minutes=3)
_MOST_LEAVES = 8_192
_PLANS = "plans"
# Minutes within which a stream tells what has happened; and how many of such a step looks at.
_TOLD_WITHIN, _MOST_LOOKS = 3, 90
# A transaction has 100 actions, one of which is the head.
_MOST_MINUTES = 90


@dataclass(frozen=True)
class LogPosition:
    """How far the log is: its right edge, and the slip up to which all is in it; `version` counts its writes.

    `verified_size` and `verified_at` are of the last verification that held, `full_at` of the last that read all of it.
    """

    edge: Edge = EMPTY
    cursor: str = ""
    version: int = 0
    sealed_at: str = ""
    verified_size: int = 0
    verified_at: str = ""
    full_at: str = ""


@dataclass(frozen=True)
class Slip:
    """What a batch has told of; `name` orders slips by their minutes."""

    name: str
    leaves: tuple[LeafKey, ...]


class Planned(NamedTuple):
    """One entry that a step puts into the log."""

    minute: str
    id: str
    sealed: str


@dataclass(frozen=True)
class SealPlan:
    """What a step puts into the log, in this order, and the slip up to which all is in it then."""

    cursor: str
    entries: tuple[Planned, ...]

    def kept(self, path: str, keys: Keys) -> bytes:
        """Return it as it is kept at a path: behind a line with the keyed hash of both."""
        said = json.dumps({"cursor": self.cursor, "entries": self.entries}, ensure_ascii=False).encode()
        return b"\n".join([_plan_mac(path, said, keys), said])

    @classmethod
    def of(cls, path: str, kept: bytes, keys: Keys) -> "SealPlan | None":
        """Return a plan that was kept at a path; None of what somebody else has put there."""
        mac, _, text = kept.partition(b"\n")
        if not hmac.compare_digest(mac, _plan_mac(path, text, keys)):
            return None
        said = json.loads(text)
        return cls(said["cursor"], tuple(Planned(*entry) for entry in said["entries"]))


def _plan_mac(path: str, text: bytes, keys: Keys) -> bytes:
    return hmac.digest(keys.key(_PLANS), path.encode() + b"\n" + text, "sha256").hex().encode()


@dataclass(frozen=True)
class Placed:
    """Where the log has the leaves of one minute: their ids in order, from the index `first` on."""

    minute: str
    first: int
    ids: tuple[str, ...]


class SealingLedger(Protocol):
    """What sealing reads and writes of the table; raises `CustodyUnavailableError`."""

    def head(self) -> LogPosition:
        """Return the head, as of now; an empty one of a log that has none."""
        ...

    def slips(self, after: str, before: str) -> Iterator[Slip]:
        """Yield the slips behind one name and before another, in order."""
        ...

    def leaves(self, keys: Sequence[LeafKey]) -> Mapping[LeafKey, Leaf]:
        """Return those of the leaves that there are."""
        ...

    def placed(self, minute: str) -> Iterator[Placed]:
        """Yield where the log has the leaves of a minute."""
        ...

    def advance(self, seen: LogPosition, head: LogPosition, placed: Sequence[Placed]) -> bool:
        """Replace the head that was seen, with where the new leaves are; False when somebody else has."""
        ...


@dataclass(frozen=True)
class Sealed:
    """What a step has done.

    Attributes
    ----------
    added
        Entries that the log has got.
    missing
        Leaves that slips name and that are gone, or that this stack's functions have not written: neither is sealed.
    more
        Whether more is waiting.
    """

    added: int = 0
    missing: int = 0
    more: bool = False


@dataclass(frozen=True)
class Sealer:
    """The one that lets the log grow."""

    ledger: SealingLedger
    log: Log
    files: LogFiles
    keys: Keys
    now: Callable[[], datetime]
    settling: timedelta = SETTLING

    def step(self) -> Sealed:
        """Put what is waiting into the log, up to a few thousand entries.

        Raises
        ------
        LogForkedError
            The log holds something else than what is to be written.
        """
        head = self.ledger.head()
        path = f"plan/{head.edge.size:020}"
        missing, more = 0, True
        plan = self._kept_plan(path)
        if plan is None:
            planned = self._planned(head)
            if planned is None:
                return Sealed()
            plan, missing, more = planned
            if plan.entries and self.log.write_once(path, plan.kept(path, self.keys)) is not None:
                # Another writer was faster.
                plan = self._kept_plan(path) or plan
        edge = head.edge
        if plan.entries:
            edge = self.files.append(edge, [entry.sealed.encode() for entry in plan.entries])
        after = replace(head, edge=edge, cursor=plan.cursor, version=head.version + 1, sealed_at=iso(self.now()))
        if not self.ledger.advance(head, after, _places(plan, head.edge.size)):
            if self.ledger.head().version == head.version:
                raise LogForkedError(f"the table has places already for leaves behind entry {head.edge.size}")
            # Another writer was faster, with the same plan: that step counts.
            return Sealed(more=True)
        return Sealed(len(plan.entries), missing, more)

    def _kept_plan(self, path: str) -> SealPlan | None:
        """Return the plan that is there, or of what somebody has put over it the one below; None where there is none.

        Raises
        ------
        LogForkedError
            What is there is not of this stack's.
        """
        versions = (read(path) for read in (self.log.read, self.log.read_oldest))
        kept = [version for version in versions if version is not None]
        for version in kept:
            if plan := SealPlan.of(path, version, self.keys):
                return plan
        if kept:
            raise LogForkedError(f"{path} of the log is there, and none of this stack's functions wrote it")
        return None

    def _is_genuine(self, leaf: Leaf) -> bool:
        """Return whether this stack's functions wrote a leaf, where it lies."""
        try:
            said = parsed(leaf.sealed)
            recorded_at = str(said["recordedAt"])
            if (*key_of(said), id_of(said), recorded_at[:MINUTE]) != (leaf.pk, leaf.sk, leaf.id, leaf.minute):
                return False
        except (BadProofError, KeyError):
            return False
        return hmac.compare_digest(mac_of(leaf.sealed, recorded_at, self.keys).encode(), leaf.mac.encode())

    def _minutes_of(self, leaves: Sequence[Leaf]) -> Iterable[str]:
        """Yield the minutes in which leaves were written, and those in which they may have been before.

        What is written long after it happened may be made again: the log has it in the minutes behind `at` then, if
        that is how it was told at first. What it has elsewhere is sealed again, and the first entry counts.
        """
        before: dict[str, None] = {}
        for leaf in leaves:
            at = moment_of(str(parsed(leaf.sealed).get("at")))
            written = moment_of(leaf.minute)
            if at and written and at < written - self.settling and len(before) < _MOST_LOOKS:
                before |= {iso(at + timedelta(minutes=later))[:MINUTE]: None for later in range(_TOLD_WITHIN)}
        return dict.fromkeys(leaf.minute for leaf in leaves) | before

    def _planned(self, head: LogPosition) -> tuple[SealPlan, int, bool] | None:
        """Return the plan, how many leaves are gone, and whether more is waiting; None when nothing is."""
        keys: dict[LeafKey, None] = {}
        # A cursor of the future is nobody's of this stack, and would leave all that comes unsealed.
        start = head.cursor if head.cursor[:MINUTE] <= iso(self.now())[:MINUTE] else ""
        cursor, more = start, False
        before = iso(self.now() - self.settling)[:MINUTE]
        for slip in self.ledger.slips(start, before):
            keys |= dict.fromkeys(slip.leaves)
            cursor = slip.name
            if len(keys) >= _MOST_LEAVES:
                more = True
                break
        if cursor == start:
            return None
        found = [leaf for leaf in self.ledger.leaves(list(keys)).values() if self._is_genuine(leaf)]
        leaves = sorted(found, key=lambda leaf: (leaf.minute, leaf.pk, leaf.sk))
        known = {
            id_ for minute in self._minutes_of(leaves) for placed in self.ledger.placed(minute) for id_ in placed.ids
        }
        new = tuple(Planned(leaf.minute, leaf.id, leaf.sealed) for leaf in leaves if leaf.id not in known)
        minutes = sorted({entry.minute for entry in new})
        if len(minutes) > _MOST_MINUTES:
            # The same slips come again, and what is placed by then is left out.
            first = tuple(entry for entry in new if entry.minute < minutes[_MOST_MINUTES])
            return SealPlan(start, first), 0, True
        return SealPlan(cursor, new), len(keys) - len(found), more


def _places(plan: SealPlan, size: int) -> list[Placed]:
    placed, at = [], size
    for minute, some in groupby(plan.entries, key=lambda entry: entry.minute):
        ids = tuple(entry.id for entry in some)
        placed.append(Placed(minute, at, ids))
        at += len(ids)
    return placed
