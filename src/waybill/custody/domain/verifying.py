"""Verification: the log is what was signed, and the table is what the log says, both ways.

The head that is expected is the greatest that is known anywhere: the table's, the newest among all versions of heads in
the bucket (one that was hidden by a delete marker counts), and the last that was verified. So a log or a table that was
set back is found; the verification never answers about a shorter period instead.

What a verification has read before is not read again each time: of those entries the hashes, in their tiles, lead to
the signed heads, and every item of the table has to have one of them. So nothing that is done to the table goes unseen;
whether the entries themselves are still there is looked at when all is read again, at least once in 30 days.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol, override

from waybill.core.clock import iso, moment_of
from waybill.custody.domain.comparing import ComparedLedger, LogComparison, Report, Trails
from waybill.custody.domain.log_files import KEY, head_path
from waybill.custody.domain.merkle import Edge, leaf_hash
from waybill.custody.domain.recording import MINUTE
from waybill.custody.domain.sealed_form import Keys, parsed
from waybill.custody.domain.sealing import LogPosition
from waybill.custody.domain.signed_heads import Checkpoint, VerifierKey, opened_note
from waybill.custody.domain.tiles import WIDTH, Tile, bundle_path, entries_in, hashes_in
from waybill.custody.errors import BadProofError

# What is younger may still wait for its turn.
_UNSEALED_AFTER = timedelta(hours=1)
# Everything is read again when that was not done for so long.
_FULL_EVERY = timedelta(days=30)


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


class VerifiedLedger(ComparedLedger, Protocol):
    """The table as verification reads it; raises `CustodyUnavailableError`."""

    def head(self) -> LogPosition:
        """Return the head, as of now."""
        ...

    def note_verified(self, size: int, at: str, *, full: bool) -> None:
        """Keep up to where a verification has held, and whether it has read everything."""
        ...


class EntryReader(Protocol):
    """What is made of the entries of the log, as they are read."""

    def compare(self, first: int, entries: Sequence[bytes], hashes: Sequence[bytes]) -> None:
        """Take entries with their hashes, from the place `first` on."""
        ...

    def expect(self, first: int, hashes: Sequence[bytes]) -> None:
        """Take the hashes of entries that were read before, from the place `first` on."""
        ...


@dataclass(frozen=True)
class SealedTrail(EntryReader):
    """What the log has of an audit trail: hashes by number; `report` says whether the log itself holds."""

    name: str
    report: Report = field(default_factory=Report)
    hashes: dict[int, str] = field(default_factory=dict)

    @override
    def compare(self, first: int, entries: Sequence[bytes], hashes: Sequence[bytes]) -> None:
        for index, entry in enumerate(entries, first):
            try:
                content = parsed(entry)
            except BadProofError:
                self.report.add("ALTERED", "an entry of the log is none of custody's", index)
                continue
            number = content.get("number")
            if content.get("trail") == self.name and isinstance(number, int):
                # The first entry counts: who makes a trail anew, and lets it be recorded again, adds another.
                self.hashes.setdefault(number, str(content.get("hash")))

    @override
    def expect(self, first: int, hashes: Sequence[bytes]) -> None:
        raise LookupError("a trail is looked for in all entries")


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

    def verify(self, kept: Checkpoint | None = None, *, full: bool = False) -> Report:
        """Return what was looked at, and everything that does not hold.

        `kept` is a head that somebody has kept elsewhere: the log has to begin with what it signs. With `full`, and
        where nothing was read as a whole for 30 days, every entry is read again.
        """
        report = Report()
        before, heads = self._opened(report, kept)
        comparison = LogComparison(self.ledger, self.trails, self.keys, report)
        if heads is not None:
            full = full or self._is_due(before)
            seen = 0 if full else max((size for size in heads if size <= before.verified_size), default=0)
            self._check_entries(heads, seen, comparison, report)
            full = full or not seen
        # Where nothing was ever sealed, or nobody left anything of it, what is old says which.
        young = iso(self.now() - _UNSEALED_AFTER)[:MINUTE]
        comparison.look_through(young, lambda places: self._entries(places, report))
        comparison.end(before.edge.size, self.ledger.head().edge.size)
        if report.holds and report.size:
            self.ledger.note_verified(report.size, iso(self.now()), full=full)
        return report

    def trail(self, name: str) -> SealedTrail:
        """Return what the log has of one audit trail; its table is compared with it by whoever asks.

        Every entry of the log is read: nothing else than the log says that it has no more of them.
        """
        found = SealedTrail(name)
        self._read_all(found, found.report)
        return found

    def read_all(self, reader: EntryReader) -> Report:
        """Give every entry of the log to `reader`; return whether the log holds, whatever the table says."""
        report = Report()
        self._read_all(reader, report)
        return report

    def _read_all(self, reader: EntryReader, report: Report) -> None:
        _, heads = self._opened(report, None)
        if heads is not None:
            self._check_entries(heads, 0, reader, report)

    def _opened(self, report: Report, kept: Checkpoint | None) -> tuple[LogPosition, dict[int, bytes] | None]:
        """Return the table's head and the signed roots of the log by size, None where there is no log.

        Notes how much there should be.
        """
        if not self.log.is_locked():
            report.add("UNANCHORED", "the bucket of the log has no Object Lock")
        # The log grows meanwhile: what the table said before has to be in it, what it has to be in the table after.
        before = self.ledger.head()
        published = self.log.read_oldest(KEY)
        sizes = self.log.head_sizes()
        after = self.ledger.head()
        report.size = max([before.edge.size, before.verified_size, *sizes, kept.size if kept else 0])
        if published is None and not report.size:
            return before, None
        if published is None or published.decode(errors="replace").strip() != self.key.text:
            report.add("BAD_SIGNATURE", "the key in the log is another than the stack's")
        heads = self._heads(sizes, report)
        if kept:
            if heads.get(kept.size, kept.root) != kept.root:
                report.add("FORKED", f"the kept head of size {kept.size} is another", kept.size)
            heads[kept.size] = kept.root
        self._check_size(after, sizes, heads, report)
        return before, heads

    def _is_due(self, head: LogPosition) -> bool:
        last = moment_of(head.full_at)
        return last is None or not timedelta() <= self.now() - last <= _FULL_EVERY

    def _heads(self, sizes: Iterable[int], report: Report) -> dict[int, bytes]:
        """Return the signed roots by size."""
        heads: dict[int, bytes] = {}
        for size in sizes:
            try:
                checkpoint = opened_note(self.log.read_oldest(head_path(size)) or b"", self.key)
            except BadProofError as error:
                report.add("BAD_SIGNATURE", f"{error} (size {size})")
                continue
            if checkpoint.size != size or checkpoint.origin != self.key.name:
                report.add("BAD_SIGNATURE", f"the head of size {size} is another log's or size's")
                continue
            heads[size] = checkpoint.root
        return heads

    def _check_size(self, head: LogPosition, sizes: Sequence[int], heads: Mapping[int, bytes], report: Report) -> None:
        newest = max(sizes, default=0)
        if newest < report.size:
            report.add("MISSING", f"heads of the log end at {newest}, and {report.size} entries were sealed", newest)
        # A death between the last file and the table leaves the table one step behind; a step of a few thousand
        # entries is finished by the next run, so a head that stays behind was set back.
        if heads.get(head.edge.size, head.edge.root) != head.edge.root:
            report.add("FORKED", f"the table's head of size {head.edge.size} is not what was signed", head.edge.size)
        behind = [size for size in sizes if size > head.edge.size]
        if len(behind) > 1:
            report.add("FORKED", f"the table's head was set back to {head.edge.size} of {report.size}", head.edge.size)

    def _check_entries(self, heads: Mapping[int, bytes], seen: int, comparison: EntryReader, report: Report) -> None:
        """Check the entries against the signed heads, and compare those that nobody has read; `seen` were read."""
        edge, number = Edge(), 0
        while edge.size < report.size:
            first = edge.size
            hashes = self._tile(number, report) if first + WIDTH <= seen else None
            if hashes is None:
                entries = self._bundle(number, report)
                if entries is None:
                    report.add("MISSING", "entries of the log are not there", first)
                    break
                report.read_again += len(entries)
                hashes = [leaf_hash(entry) for entry in entries]
                edge = self._check_roots(edge, hashes, heads, report)
                comparison.compare(first, entries, hashes)
            else:
                edge = self._check_roots(edge, hashes, heads, report)
                comparison.expect(first, hashes)
            number += 1
        report.entries = edge.size

    def _tile(self, number: int, report: Report) -> list[bytes] | None:
        content = self.log.read_oldest(Tile(0, number, WIDTH).path)
        try:
            if content is not None:
                return hashes_in(content, WIDTH)
        except BadProofError:
            pass
        report.add("MISSING", "hashes of the log are not there", number * WIDTH)
        return None

    def _bundle(self, number: int, report: Report) -> list[bytes] | None:
        width = min(WIDTH, report.size - number * WIDTH)
        try:
            content = self.log.read_oldest(bundle_path(number, width))
            entries = None if content is None else entries_in(content)
        except BadProofError:
            return None
        return entries if entries is not None and len(entries) == width else None

    def _entries(self, places: Iterable[int], report: Report) -> Iterator[tuple[int, bytes]]:
        """Yield entries by their places in the log, in ascending order."""
        number, entries = -1, None
        for index in places:
            if index // WIDTH != number:
                number = index // WIDTH
                entries = self._bundle(number, report)
            if entries is None:
                report.add("MISSING", "an entry of the log is not there, nor is an item that says the same", index)
            else:
                yield index, entries[index % WIDTH]

    def _check_roots(self, edge: Edge, hashes: Sequence[bytes], heads: Mapping[int, bytes], report: Report) -> Edge:
        first, last = edge.size, edge.size + len(hashes)
        # The tree is looked at where a head was signed, and at the end.
        for size in [*sorted(size for size in heads if first < size < last), last]:
            edge = edge.extended(hashes[edge.size - first : size - first])
            if size in heads and heads[size] != edge.root:
                report.add("FORKED", f"the entries are not those that the head of size {edge.size} signs", edge.size)
        return edge
