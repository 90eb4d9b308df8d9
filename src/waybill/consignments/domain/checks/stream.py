"""A pass over an object that does not fit on the disk."""

from collections.abc import Iterator
from pathlib import Path

from waybill.consignments.domain.checks.blocks import Block, Blocks
from waybill.consignments.domain.checks.digest import DigestBuilder, digested
from waybill.consignments.domain.checks.models import Digest, Examination, Failure, Reason
from waybill.consignments.domain.checks.ports import Scanners
from waybill.consignments.domain.checks.scan_answers import Hit, ScanAnswer
from waybill.consignments.domain.checks.spool import Windows


class ObjectStream:
    """Hashes and scans what passes; one block is scanned while the next is read."""

    def __init__(self, scanners: Scanners | None, path: Path, scan_seconds: float) -> None:
        self._scanners = scanners
        self._seconds = scan_seconds
        self._path = path
        self._places = [path.with_name(f"{path.name}.{number}") for number in range(2)]
        self._asked = False
        self._found: dict[str, Hit] = {}
        # A stream that nobody scans is not a clean one.
        self._failure = Failure(Reason.UNREADABLE, "The file was not scanned.") if scanners is None else None

    def run(self, chunks: Iterator[bytes]) -> Digest:
        """Pass all `chunks`; leave both ends of them at the path."""
        builder, windows, blocks = DigestBuilder(), Windows(), Blocks()
        try:
            for chunk in digested(chunks, builder):
                windows.feed(chunk)
                for block in blocks.feed(chunk):
                    self._scan(block)
            for block in blocks.rest():
                self._scan(block)
        finally:
            self._collect()
            for place in self._places:
                place.unlink(missing_ok=True)
        windows.write(self._path)
        return builder.digest()

    def outcome(self) -> ScanAnswer | Failure:
        """Return the rules that match in any block; if there are none, why not all blocks were scanned."""
        if not self._found and self._failure is not None:
            return self._failure
        return {"hits": [self._found[rule] for rule in sorted(self._found)], "unscanned": [], "unscannedCount": 0}

    def _scan(self, block: Block) -> None:
        if self._scanners is None or self._failure is not None:
            return
        place = self._places[0]
        # Over the block before the last, whose pages the system has already.
        with place.open("r+b" if place.exists() else "xb", buffering=0) as file:
            file.writelines(block)
            file.truncate()
        self._collect()
        self._scanners.ask(Examination(place, {"scan": self._seconds}, partial=True))
        self._asked = True
        self._places.reverse()

    def _collect(self) -> None:
        if self._scanners is None or not self._asked:
            return
        self._asked = False
        answer = self._scanners.answers()["scan"]
        if isinstance(answer, Failure):
            self._failure = answer
        else:
            self._found.update({hit["rule"]: hit for hit in answer["hits"]})
