"""Verification: the log is what was signed, and the table is what the log says, both ways.

The head that is expected is the greatest that is known anywhere: the table's, the newest among all versions of heads in
the bucket (one that was hidden by a delete marker counts), and the last that was verified. So a log or a table that was
set back is found; the verification never answers about a shorter period instead.
"""

import hmac
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import batched
from typing import Protocol

from pydantic import JsonValue

from waybill.core.clock import iso
from waybill.custody.domain.log_files import KEY, head_path
from waybill.custody.domain.merkle import Edge, leaf_hash
from waybill.custody.domain.notes import Checkpoint, VerifierKey, opened_note
from waybill.custody.domain.recording import MINUTE, LeafKey
from waybill.custody.domain.sealed_form import Keys, id_of, key_of, mac_of, parsed
from waybill.custody.domain.sealed_states import states_hold
from waybill.custody.domain.sealing import Head
from waybill.custody.domain.tiles import WIDTH, bundle_path, entries_in
from waybill.custody.errors import BadProofError
from waybill.custody.models import Event, KnownPlace, Leaf

# What is younger may still wait for its turn.
_UNSEALED_AFTER = timedelta(hours=1)
_AT_ONCE = 2_048


@dataclass(frozen=True)
class Finding:
    """What does not hold.

    `code` is BAD_SIGNATURE, FORKED, MISSING, ALTERED, UNSEALED, MAC_WRONG, or UNANCHORED; `index` is the place in the
    log, where there is one.
    """

    code: str
    about: str
    index: int | None = None


@dataclass
class Report:
    """What a verification has come to: entries of the log, leaves of the table that were compared, and findings."""

    size: int = 0
    entries: int = 0
    compared: int = 0
    waiting: int = 0
    findings: list[Finding] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Whether nothing was found."""
        return not self.findings


@dataclass(frozen=True)
class SealedTrail:
    """What the log has of an audit trail: hashes by number; `report` says whether the log itself holds."""

    report: Report
    hashes: Mapping[int, str]


class StoredLog(Protocol):
    """The log as it is stored; raises `CustodyUnavailableError` and `CustodyRefusedError`."""

    def read_oldest(self, path: str) -> bytes | None:
        """Return the first version of a file, which nobody can replace; None where there never was one."""
        ...

    def head_sizes(self) -> Sequence[int]:
        """Return the sizes of all heads that there are, hidden ones too, in ascending order."""
        ...

    def is_locked(self) -> bool:
        """Return whether what is written can be removed by nobody until its time is over."""
        ...


class VerifiedLedger(Protocol):
    """The table as verification reads it; raises `CustodyUnavailableError`."""

    def head(self) -> Head:
        """Return the head, as of now."""
        ...

    def events(self, keys: Sequence[LeafKey]) -> Mapping[LeafKey, Event]:
        """Return those of the events that there are; an entry of a trail is one without states."""
        ...

    def places(self, hashes: Iterable[str]) -> Mapping[str, KnownPlace]:
        """Return those of the places that are known, by their hashes."""
        ...

    def all_leaves(self) -> Iterator[Leaf]:
        """Yield every leaf, in no order."""
        ...

    def note_verified(self, size: int, at: str) -> None:
        """Keep up to where a verification has held."""
        ...


class Trails(Protocol):
    """The audit trails of subject access, as they stand now; raises `CustodyUnavailableError`."""

    def hashes(self, entries: Iterable[tuple[str, int]]) -> Mapping[tuple[str, int], str]:
        """Return the hashes of those of the entries (trail and number) that there are."""
        ...


@dataclass(frozen=True)
class Verifier:
    """Compares the log with the table, and with the audit trails that are sealed in it.

    `key` is the log's public key as its owner knows it, apart from the log.
    """

    log: StoredLog
    ledger: VerifiedLedger
    trails: Trails
    keys: Keys
    key: VerifierKey
    now: Callable[[], datetime]

    def verify(self, kept: Checkpoint | None = None) -> Report:
        """Return what was looked at, and everything that does not hold.

        `kept` is a head that somebody has kept elsewhere: the log has to begin with what it signs.
        """
        report, known = Report(), set[str]()
        heads = self._opened(report, kept)
        if heads is not None:
            self._check_entries(heads, report, lambda first, entries: self._compare(first, entries, known, report))
        # Where nothing was ever sealed, or nobody left anything of it, what is old says which.
        self._check_table(known, report)
        if report.holds and heads is not None:
            self.ledger.note_verified(report.size, iso(self.now()))
        return report

    def trail(self, name: str) -> SealedTrail:
        """Return what the log has of one audit trail; its table is compared with it by whoever asks.

        Every entry of the log is read: nothing else than the log says that it has no more of them.
        """
        report, hashes = Report(), dict[int, str]()

        def look(first: int, entries: Sequence[bytes]) -> None:
            for index, entry in enumerate(entries, first):
                try:
                    content = parsed(entry)
                except BadProofError:
                    report.findings.append(Finding("ALTERED", "an entry of the log is none of custody's", index))
                    continue
                number = content.get("number")
                if content.get("trail") == name and isinstance(number, int):
                    hashes[number] = str(content.get("hash"))

        heads = self._opened(report, None)
        if heads is not None:
            self._check_entries(heads, report, look)
        return SealedTrail(report, hashes)

    def _opened(self, report: Report, kept: Checkpoint | None) -> dict[int, bytes] | None:
        """Return the signed roots of the log by size, and note how much there should be; None where there is no log."""
        if not self.log.is_locked():
            report.findings.append(Finding("UNANCHORED", "the bucket of the log has no Object Lock"))
        # The log grows meanwhile: what the table said before has to be in it, what it has to be in the table after.
        before = self.ledger.head()
        published = self.log.read_oldest(KEY)
        sizes = self.log.head_sizes()
        after = self.ledger.head()
        report.size = max([before.edge.size, before.verified_size, *sizes, kept.size if kept else 0])
        if published is None and not report.size:
            return None
        if published is None or published.decode(errors="replace").strip() != self.key.text:
            report.findings.append(Finding("BAD_SIGNATURE", "the key in the log is another than the stack's"))
        heads = self._heads(sizes, report)
        if kept:
            if heads.get(kept.size, kept.root) != kept.root:
                report.findings.append(Finding("FORKED", f"the kept head of size {kept.size} is another", kept.size))
            heads[kept.size] = kept.root
        self._check_size(after, sizes, report)
        return heads

    def _heads(self, sizes: Iterable[int], report: Report) -> dict[int, bytes]:
        """Return the signed roots by size."""
        heads: dict[int, bytes] = {}
        for size in sizes:
            try:
                checkpoint = opened_note(self.log.read_oldest(head_path(size)) or b"", self.key)
            except BadProofError as error:
                report.findings.append(Finding("BAD_SIGNATURE", f"{error} (size {size})"))
                continue
            if checkpoint.size != size or checkpoint.origin != self.key.name:
                report.findings.append(Finding("BAD_SIGNATURE", f"the head of size {size} is another log's or size's"))
                continue
            heads[size] = checkpoint.root
        return heads

    def _check_size(self, head: Head, sizes: Sequence[int], report: Report) -> None:
        newest = max(sizes, default=0)
        if newest < report.size:
            report.findings.append(
                Finding("MISSING", f"heads of the log end at {newest}, and {report.size} entries were sealed", newest)
            )
        # A death between the last file and the table leaves the table one step behind; a step of a few thousand
        # entries is finished by the next run, so a head that stays behind was set back.
        behind = [size for size in sizes if size > head.edge.size]
        if len(behind) > 1:
            report.findings.append(
                Finding("FORKED", f"the table's head was set back to {head.edge.size} of {report.size}", head.edge.size)
            )

    def _check_entries(
        self, heads: Mapping[int, bytes], report: Report, look: Callable[[int, Sequence[bytes]], None]
    ) -> None:
        """Check the entries against the signed heads, and let `look` see them, each with the number of the first."""
        edge, number = Edge(), 0
        while edge.size < report.size:
            entries = self._bundle(number, report)
            if entries is None:
                report.findings.append(Finding("MISSING", "entries of the log are not there", edge.size))
                break
            edge = self._check_roots(edge, entries, heads, report)
            look(edge.size - len(entries), entries)
            number += 1
        report.entries = edge.size

    def _bundle(self, number: int, report: Report) -> list[bytes] | None:
        width = min(WIDTH, report.size - number * WIDTH)
        try:
            content = self.log.read_oldest(bundle_path(number, width))
            entries = None if content is None else entries_in(content)
        except BadProofError:
            return None
        return entries if entries is not None and len(entries) == width else None

    def _check_roots(self, edge: Edge, entries: Sequence[bytes], heads: Mapping[int, bytes], report: Report) -> Edge:
        first, last = edge.size, edge.size + len(entries)
        # The tree is looked at where a head was signed, and at the end.
        for size in [*sorted(size for size in heads if first < size < last), last]:
            edge = edge.extended(map(leaf_hash, entries[edge.size - first : size - first]))
            if size in heads and heads[size] != edge.root:
                report.findings.append(
                    Finding("FORKED", f"the entries are not those that the head of size {edge.size} signs", edge.size)
                )
        return edge

    def _compare(self, first: int, entries: Sequence[bytes], known: set[str], report: Report) -> None:
        said: dict[LeafKey, tuple[int, bytes, Mapping[str, JsonValue]]] = {}
        for index, entry in enumerate(entries, first):
            try:
                content = parsed(entry)
                key = LeafKey(*key_of(content))
            except (BadProofError, KeyError):
                report.findings.append(Finding("ALTERED", "an entry of the log is none of custody's", index))
                continue
            if id_of(content) in known:
                report.findings.append(Finding("FORKED", f"{key.pk} {key.sk} is in the log twice", index))
            known.add(id_of(content))
            said[key] = (index, entry, content)
        found = self.ledger.events(list(said))
        places = self.ledger.places({state.place for event in found.values() for state in event.states})
        for key, (index, entry, content) in said.items():
            event = found.get(key)
            report.compared += 1
            if event is None:
                report.findings.append(Finding("MISSING", f"{key.pk} {key.sk} is not in the table", index))
            elif event.leaf.sealed.encode() != entry:
                report.findings.append(Finding("ALTERED", f"{key.pk} {key.sk} is another in the table", index))
            elif not self._mac_holds(event.leaf, content):
                report.findings.append(Finding("MAC_WRONG", f"{key.pk} {key.sk}", index))
            elif not states_hold(event, content, places):
                report.findings.append(Finding("ALTERED", f"{key.pk} {key.sk} is about another file", index))
        self._compare_trails(((index, content) for index, _, content in said.values() if "entryId" in content), report)

    def _compare_trails(self, entries: Iterable[tuple[int, Mapping[str, JsonValue]]], report: Report) -> None:
        """Compare the trails themselves: who may write their table can make a whole chain of hashes anew."""
        sealed: dict[tuple[str, int], tuple[int, JsonValue]] = {}
        for index, content in entries:
            number = content["number"]
            if isinstance(number, int):
                sealed[str(content["trail"]), number] = (index, content["hash"])
        found = self.trails.hashes(sealed)
        for (trail, number), (index, hash_) in sealed.items():
            told = f"entry {number} of the audit trail {trail}"
            if (trail, number) not in found:
                report.findings.append(Finding("MISSING", f"{told} is not there any more", index))
            elif found[trail, number] != hash_:
                report.findings.append(Finding("ALTERED", f"{told} is another", index))

    def _mac_holds(self, leaf: Leaf, content: Mapping[str, JsonValue]) -> bool:
        expected = mac_of(leaf.sealed, str(content.get("recordedAt")), self.keys)
        return hmac.compare_digest(expected, leaf.mac)

    def _check_table(self, known: set[str], report: Report) -> None:
        """Look for items that were never sealed, or were put there by hand."""
        young = iso(self.now() - _UNSEALED_AFTER)[:MINUTE]
        for some in batched(self.ledger.all_leaves(), _AT_ONCE, strict=False):
            for leaf in some:
                if leaf.id in known:
                    continue
                report.waiting += 1
                if not self._is_own(leaf):
                    report.findings.append(Finding("MAC_WRONG", f"{leaf.pk} {leaf.sk}"))
                elif leaf.minute < young:
                    report.findings.append(Finding("UNSEALED", f"{leaf.pk} {leaf.sk}"))

    def _is_own(self, leaf: Leaf) -> bool:
        try:
            content = parsed(leaf.sealed)
            mine = key_of(content) == (leaf.pk, leaf.sk) and id_of(content) == leaf.id
            return mine and self._mac_holds(leaf, content)
        except (BadProofError, KeyError):
            return False
