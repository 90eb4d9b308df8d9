"""One object from its bytes to findings and to a statement of what was looked at."""

import hmac
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from waybill.scanning.domain.detection.blocks import BLOCK, Block, Read, blocks
from waybill.scanning.domain.detection.columns import Columns
from waybill.scanning.domain.detection.containers import Limits, Member, UnreadableError, members
from waybill.scanning.domain.detection.engine import Engine
from waybill.scanning.domain.detection.masking import Span, context, masked
from waybill.scanning.domain.detection.models import Finding, Match
from waybill.scanning.domain.detection.place import Place
from waybill.scanning.domain.detection.text import SNIFFED_BYTES, Kind, Nature, Utf8Reader, nature_of

# Values that may stand in one context: 50 bytes on each side, and none is shorter than seven.
_NEIGHBOURS = 16


class Outcome(StrEnum):
    """How much of an object was looked at."""

    COMPLETE = "COMPLETE"
    PARTIAL = "PARTIAL"
    SKIPPED = "SKIPPED"


@dataclass(frozen=True)
class Checkpoint:
    """Where a scan of plain text stopped, and what has to be known to go on; nothing of the text itself.

    `offset` is in bytes of the object, `columns` as of `Columns.state`.
    """

    offset: int
    line: int
    column: int
    encoding: str
    columns: dict[str, Any] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)


@dataclass
class Report:
    """What was found in an object, and how much of it was looked at.

    `counts` has every finding by detector; `findings` holds no more of each than the scanner's cap, which
    `truncated` tells. `reasons` says what was not looked at, and how often.
    """

    outcome: Outcome = Outcome.COMPLETE
    findings: list[Finding] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    bytes_scanned: int = 0
    truncated: bool = False
    checkpoint: Checkpoint | None = None


class ObjectScanner:
    """Scans objects with one engine.

    Parameters
    ----------
    key
        Keys the fingerprints.
    only
        Ids of the detectors whose findings are wanted, None for all. The others still mask.
    cap
        Findings of one detector that an object's report holds.
    """

    def __init__(
        self,
        engine: Engine,
        key: bytes,
        *,
        only: frozenset[str] | None = None,
        cap: int = 1000,
        limits: Limits | None = None,
        block_bytes: int = BLOCK,
    ) -> None:
        self.engine = engine
        self.only = only
        self.cap = cap
        self.limits = limits or Limits()
        self.block_bytes = block_bytes
        self._masks = {detector.id: detector.mask for detector in engine.detectors}
        self._key = key

    def finding(self, match: Match, near: list[Match], text: bytes, place: Place, member: str) -> Finding:
        """Return `match`, which `place` stands at, without its value; `near` are the matches around it."""
        spans: list[Span] = [(one.start, one.end, self._mask(one)) for one in near]
        return Finding(
            detector=match.detector,
            confidence=match.confidence.name,
            byte_offset=place.raw,
            byte_length=place.width(match.end - match.start),
            line=place.line,
            column=place.column,
            masked_match=self._mask(match),
            fingerprint=hmac.digest(self._key, match.detector.encode() + b"\0" + match.normal, "sha256").hex(),
            context=context(text, match.start, match.end, spans, place.text_encoding),
            sample=match.sample,
            decoded_from=match.decoded_from,
            member=member,
        )

    def shown(self, name: str) -> str:
        """Return the path of an archive's member, with their masks for the values in it."""
        text, parts, at = name.encode(), list[str](), 0
        for match in self.engine.matches(text):
            if match.start >= at:
                parts += [text[at : match.start].decode(errors="replace"), self._mask(match)]
            at = max(at, match.end)
        return "".join(parts) + text[at:].decode(errors="replace")

    def _mask(self, match: Match) -> str:
        return masked(self._masks[match.detector], match.value)

    def scan(self, read: Read, *, resume: Checkpoint | None = None, stop: Callable[[], bool] = lambda: False) -> Report:
        """Return the report on the object that `read` gives (from `resume.offset` on, when it goes on there).

        `stop` is asked between blocks. Plain text then ends with a checkpoint, anything else as partial.
        """
        scan = _Scan(self, read, stop)
        if resume:
            scan.report.counts.update(resume.counts)
            scan.report.truncated = any(count > self.cap for count in resume.counts.values())
            scan.text(Member("", scan.read), Nature(Kind.TEXT, resume.encoding), resume)
        else:
            scan.everything()
        return scan.closed()


class _Scan:
    """One object on its way through a scanner."""

    def __init__(self, scanner: ObjectScanner, read: Read, stop: Callable[[], bool]) -> None:
        self.report = Report()
        self._scanner = scanner
        self._read = read
        self._stop = stop
        self._budget = scanner.limits.budget(scanner.shown)
        self._archives: list[Iterator[Member]] = []
        self._looked_at = False

    def read(self, count: int) -> bytes:
        """Read from the object itself, and count it."""
        content = self._read(count)
        self.report.bytes_scanned += len(content)
        return content

    def everything(self) -> None:
        """Look at the object, and at what is inside of it."""
        self._archives.append(iter([Member("", self.read)]))
        while self._archives:
            try:
                member = next(self._archives[-1], None)
                if member is None:
                    self._archives.pop()
                else:
                    self._member(member)
            except UnreadableError as error:
                self.report.reasons[error.reason] += 1
                if error.reason == "TIME_LIMIT":
                    return

    def closed(self) -> Report:
        """Return the report, its outcome set."""
        report = self.report
        if report.checkpoint or (report.reasons and self._looked_at):
            report.outcome = Outcome.PARTIAL
        elif report.reasons:
            report.outcome, report.bytes_scanned = Outcome.SKIPPED, 0
        return report

    def _member(self, member: Member) -> None:
        if member.reason:
            raise UnreadableError(member.reason)
        if member.name and self._looked_at and self._stop():
            raise UnreadableError("TIME_LIMIT")
        head, read = _peeked(member.read)
        nature = nature_of(head)
        inside = Member(member.name, read)
        if nature.kind == Kind.OTHER:
            raise UnreadableError("UNSUPPORTED_TYPE")
        if nature.kind == Kind.TEXT:
            self._looked_at = True
            self.text(inside, nature)
        elif len(self._archives) > self._scanner.limits.depth:
            raise UnreadableError("ARCHIVE_DEPTH")
        else:
            self._archives.append(members(inside, nature.kind, self._budget))

    def text(self, member: Member, nature: Nature, resume: Checkpoint | None = None) -> None:
        """Look at text, up to its end or to where it has to stop."""
        read = member.read
        if nature.mark and not resume:
            read(nature.mark)
        if nature.encoding.startswith("utf-16"):
            read = Utf8Reader(read, nature.encoding).read
        place = Place(nature.encoding, resume.offset if resume else nature.mark)
        columns: Columns | None = None
        if resume:
            place.line, place.column = resume.line, resume.column
            columns = Columns.from_state(resume.columns) if resume.columns else None
        for number, block in enumerate(blocks(read, self._scanner.block_bytes)):
            if number == 0 and not resume:
                first_line = block.text[: block.text.find(b"\n") + 1]
                columns = Columns.of(first_line, self._scanner.engine.detectors)
            self._block(block, columns, place, member.name, nature)
            place.advance(block.text, block.offset, block.end)
            if block.end < len(block.text) and self._stop():
                if member.name:
                    raise UnreadableError("TIME_LIMIT")
                self.report.checkpoint = Checkpoint(
                    offset=place.raw,
                    line=place.line,
                    column=place.column,
                    encoding=nature.encoding,
                    columns=columns.state() if columns else {},
                    counts=dict(self.report.counts),
                )
                self.report.bytes_scanned = place.raw - (resume.offset if resume else 0)
                return

    def _block(self, block: Block, columns: Columns | None, place: Place, member: str, nature: Nature) -> None:
        scanner, report = self._scanner, self.report
        matches = scanner.engine.matches(block.text, block.start, block.end, columns)
        for index, match in enumerate(matches):
            if scanner.only is not None and match.detector not in scanner.only:
                continue
            report.counts[match.detector] += 1
            if report.counts[match.detector] > scanner.cap:
                report.truncated = True
                continue
            near = matches[max(0, index - _NEIGHBOURS) : index + _NEIGHBOURS + 1]
            place.advance(block.text, block.offset, match.start)
            report.findings.append(scanner.finding(match, near, block.text, place, member))


def _peeked(read: Read) -> tuple[bytes, Read]:
    """Return the first bytes that `read` gives, and a reader that gives them once more."""
    head = b""
    while len(head) < SNIFFED_BYTES and (part := read(SNIFFED_BYTES - len(head))):
        head += part
    waiting = head

    def again(count: int) -> bytes:
        nonlocal waiting
        if waiting:
            part, waiting = waiting[:count], waiting[count:]
            return part
        return read(count)

    return head, again
