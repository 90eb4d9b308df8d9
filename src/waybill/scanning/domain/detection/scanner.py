"""One object from its bytes to findings and to a statement of what was looked at."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import accumulate
from typing import Any, NamedTuple

from waybill.scanning.domain.detection.blocks import BLOCK, Block, Read, blocks, context_start
from waybill.scanning.domain.detection.budget import NAME_LENGTH, Limits, UnreadableError
from waybill.scanning.domain.detection.column_names import names_of
from waybill.scanning.domain.detection.columns import Columns
from waybill.scanning.domain.detection.containers import members
from waybill.scanning.domain.detection.content_type import (
    CONTROL,
    EBCDIC,
    SCRIPT_BYTES,
    SNIFFED_BYTES,
    ContentType,
    EbcdicReader,
    Kind,
    Utf8Reader,
    archive_behind,
    content_type_of,
    encoded_file_in,
    share_of,
)
from waybill.scanning.domain.detection.dumps import Names
from waybill.scanning.domain.detection.engine import Engine
from waybill.scanning.domain.detection.fingerprints import Fingerprints
from waybill.scanning.domain.detection.isolation import Isolation, Send, in_this_process
from waybill.scanning.domain.detection.marks import TextMark
from waybill.scanning.domain.detection.masking import CONTEXT_BYTES, ShownWords, context, masked
from waybill.scanning.domain.detection.member import Member
from waybill.scanning.domain.detection.models import Finding, Match
from waybill.scanning.domain.detection.place import Place

# Values that may stand in one context: 50 bytes on each side, and none is shorter than seven.
_NEIGHBOURS = 16
_UNREAD_SHOWN = 100
# Binary data that stands in a text: so much of a window is control characters.
_BINARY_SHARE = 0.06
_WINDOW = 16_384
_HEADINGS_BYTES = 16_384
# What archives, programs and documents begin with: behind a script, such as one that unpacks itself, they are no text.
_BINARY_MARK = re.compile(
    rb"PK\x03\x04.{2}[\0-\x0f]|PK\x05\x06\0\0|\x1f\x8b\x08[\0-\x1f]|BZh[1-9]1AY&SY|\xfd7zXZ\0|7z\xbc\xaf\x27\x1c"
    rb"|ustar(?:\0|  \0)|\x7fELF[\1\2]|\x28\xb5\x2f\xfd",
    re.DOTALL,
)
FAULTS = frozenset({"PARSER_FAILED", "MEMORY"})
"""Reasons that are faults: where they leave nothing that was looked at, the object has failed."""


class Outcome(StrEnum):
    """How much of an object was looked at."""

    COMPLETE = "COMPLETE"
    PARTIAL = "PARTIAL"
    SKIPPED = "SKIPPED"
    FAILED = "FAILED"


@dataclass(frozen=True)
class Checkpoint:
    """Where a scan of plain text stopped, and what has to be known to go on; nothing of the text itself.

    `offset` is where to read from: what stands there says something of the values that have not been looked at, which
    stand behind `seen_bytes` of the object, or `seen_text` of its text. `columns` are as of `Names.state`.
    """

    offset: int
    line: int
    column: int
    encoding: str
    seen_bytes: int = 0
    seen_text: int = 0
    columns: dict[str, Any] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    reasons: dict[str, int] = field(default_factory=dict)


class Unread(NamedTuple):
    """A member that was not looked at, or not to its end; an empty path is the object itself."""

    member: str
    reason: str


@dataclass
class Report:
    """What was found in an object, and how much of it was looked at.

    `counts` has every finding by detector; `findings` holds no more of each than the scanner's cap, which
    `truncated` tells. `reasons` says what was not looked at, and how often; `unread` names the first hundred of it.
    """

    outcome: Outcome = Outcome.COMPLETE
    findings: list[Finding] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    unread: list[Unread] = field(default_factory=list)
    bytes_scanned: int = 0
    truncated: bool = False
    checkpoint: Checkpoint | None = None

    def leave(self, member: str, reason: str) -> None:
        """Note that something is not looked at."""
        self.reasons[reason] += 1
        if len(self.unread) < _UNREAD_SHOWN:
            self.unread.append(Unread(member, reason))

    def close(self, *, looked_at: bool) -> None:
        """Set the outcome."""
        if self.checkpoint or (self.reasons and looked_at):
            self.outcome = Outcome.PARTIAL
        elif self.reasons:
            self.outcome = Outcome.FAILED if FAULTS & set(self.reasons) else Outcome.SKIPPED
            self.bytes_scanned = 0


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
    allows
        Which values are no findings, though they are masked like others.
    isolation
        Where parsers of containers run; plain text needs none.
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
        isolation: Isolation = in_this_process,
        allows: Callable[[Match], bool] = lambda _: False,
    ) -> None:
        self.engine = engine
        self.only = only
        self.cap = cap
        self.limits = limits or Limits()
        self.block_bytes = block_bytes
        self.allows = allows
        self._isolation = isolation
        self._words = ShownWords(word for detector in engine.detectors for word in detector.words)
        self._masks = {detector.id: detector.mask for detector in engine.detectors}
        self._fingerprints = Fingerprints(key)

    def finding(self, match: Match, near: list[Match], text: bytes, place: Place, member: Member) -> Finding:
        """Return `match`, which `place` stands at, without its value; `near` are the matches around it, and itself."""
        cell = ""
        if member.place:
            line_start = text.rfind(b"\n", 0, match.start) + 1
            cell = member.place(place.line, text.count(b"\t", line_start, match.start))
        mask = self._mask(match)
        spans = [(one.start, one.end, mask if one is match else self._mask(one)) for one in near]
        return Finding(
            detector=match.detector,
            confidence=match.confidence.name,
            byte_offset=place.raw,
            byte_length=place.width(text[match.start : match.end]),
            line=place.line,
            column=place.column,
            masked_match=mask,
            fingerprint=self._fingerprints.of(match),
            context=context(text, match.start, match.end, spans, place.text_encoding, self._words),
            sample=match.sample,
            decoded_from=match.decoded_from,
            member=member.name,
            cell=self.shown(cell[:NAME_LENGTH]) if cell else "",
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
        if resume:
            scan = _Scan(self, read, stop)
            # What is read again was counted before.
            scan.report.bytes_scanned = -resume.seen_bytes
            scan.report.counts.update(resume.counts)
            scan.report.reasons.update(resume.reasons)
            scan.report.truncated = any(count > self.cap for count in resume.counts.values())
            scan.guarded_text(ContentType(Kind.TEXT, resume.encoding), resume)
            return scan.closed()
        content, again = _typed(read)
        if content.kind not in (Kind.TEXT, Kind.OTHER):
            return self._isolated(again, stop)
        scan = _Scan(self, again, stop)
        if content.kind == Kind.OTHER:
            scan.report.leave("", "UNSUPPORTED_TYPE")
        else:
            scan.guarded_text(content)
        return scan.closed()

    def _isolated(self, read: Read, stop: Callable[[], bool]) -> Report:
        """Look at a container apart from everything else; what was found before a crash counts."""

        def work(read: Read, send: Send) -> None:
            scan = _Scan(self, read, stop, send)
            scan.everything()
            scan.send()

        done = self._isolation(work, read)
        report, looked_at = Report(), False
        for sent in done.sent:
            report.findings += [finding_of(each) for each in sent["findings"]]
            report.counts, report.reasons = Counter(sent["counts"]), Counter(sent["reasons"])
            report.unread = [Unread(*each) for each in sent["unread"]]
            report.bytes_scanned, report.truncated = sent["bytes_scanned"], sent["truncated"]
            looked_at = sent["looked_at"]
        if done.fault:
            report.leave("", done.fault)
        report.close(looked_at=looked_at)
        return report


class _Scan:
    """One object on its way through a scanner; `send` takes what is found of a container, member by member."""

    def __init__(self, scanner: ObjectScanner, read: Read, stop: Callable[[], bool], send: Send | None = None) -> None:
        self.report = Report()
        self._scanner = scanner
        self._read = read
        self._stop = stop
        self._send = send
        self._sent = 0
        self._budget = scanner.limits.budget(scanner.shown)
        self._open: list[tuple[str, Iterator[Member]]] = []
        self._looked_at = False

    def read(self, count: int) -> bytes:
        """Read from the object itself, and count it."""
        content = self._read(count)
        self.report.bytes_scanned += len(content)
        return content

    def guarded_text(self, content: ContentType, resume: Checkpoint | None = None) -> None:
        """Look at an object that is plain text; whatever is raised but by reading it costs this object alone."""
        self._looked_at = True
        try:
            self.text(Member("", self._outside), content, resume)
        except _OutsideError as error:
            raise error.fault from None
        except MemoryError:
            self.report.leave("", "MEMORY")
        except Exception:  # a fault of ours, which must not be the end of others
            self.report.leave("", "PARSER_FAILED")

    def _outside(self, count: int) -> bytes:
        try:
            return self.read(count)
        except Exception as error:
            raise _OutsideError(error) from error

    def everything(self) -> None:
        """Look at the object, and at what is inside of it."""
        self._open.append(("", iter([Member("", self.read)])))
        while self._open:
            path, members_left = self._open[-1]
            name = path
            try:
                member = next(members_left, None)
                if member is None:
                    self._open.pop()
                    continue
                name = member.name
                self._member(member)
            except UnreadableError as error:
                self.report.leave(name, error.reason)
                if error.reason == "TIME_LIMIT":
                    return
            except MemoryError:
                self.report.leave(name, "MEMORY")
            except Exception:  # whatever a parser makes of hostile bytes: it costs this member alone
                self.report.leave(name, "PARSER_FAILED")
            if self._send:
                self.send()

    def send(self) -> None:
        """Send what was found since the last time, and all sums as they are now."""
        report = self.report
        if self._send:
            self._send(
                {
                    "findings": [finding._asdict() for finding in report.findings[self._sent :]],
                    "counts": dict(report.counts),
                    "reasons": dict(report.reasons),
                    "unread": [list(each) for each in report.unread],
                    "bytes_scanned": report.bytes_scanned - self._budget.left_bytes,
                    "truncated": report.truncated,
                    "looked_at": self._looked_at,
                }
            )
            self._sent = len(report.findings)

    def closed(self) -> Report:
        """Return the report, its outcome set."""
        self.report.bytes_scanned -= self._budget.left_bytes
        self.report.close(looked_at=self._looked_at)
        return self.report

    def _member(self, member: Member) -> None:
        if member.reason:
            raise UnreadableError(member.reason)
        if member.name and self._looked_at and self._stop():
            raise UnreadableError("TIME_LIMIT")
        content, read = _typed(member.read, plain=member.plain)
        inside = replace(member, read=read)
        if content.kind == Kind.OTHER:
            raise UnreadableError("UNSUPPORTED_TYPE")
        if content.kind == Kind.TEXT:
            self._looked_at = True
            self.text(inside, content)
        elif len(self._open) > self._scanner.limits.depth:
            raise UnreadableError("ARCHIVE_DEPTH")
        else:
            self._open.append((member.name, members(inside, content.kind, self._budget)))

    def text(self, member: Member, content: ContentType, resume: Checkpoint | None = None) -> None:
        """Look at text, up to its end or to where it has to stop."""
        read = member.read
        if content.mark and not resume:
            read(content.mark)
        if content.encoding.startswith(("utf-16", "utf-32")):
            read = Utf8Reader(read, content.encoding).read
        elif content.encoding == EBCDIC:
            read = EbcdicReader(read).read
        place = Place(content.encoding, content.mark)
        names, context = Names(), 0
        if resume:
            context = resume.seen_text
            place = Place(content.encoding, resume.offset + resume.seen_bytes, context)
            place.line, place.column = resume.line, resume.column
            names = Names.from_state(resume.columns)
        begun = place.raw if resume else 0
        for number, block in enumerate(blocks(read, self._scanner.block_bytes, context=context)):
            if number == 0 and not resume:
                head = block.text[:_HEADINGS_BYTES]
                names = Names(Columns.of(head, self._scanner.engine.detectors), begins=True)
            names = self._block(block, names, place, member)
            place.advance(block.text, block.offset, block.end)
            if block.end < len(block.text) and self._stop():
                if member.name:
                    raise UnreadableError("TIME_LIMIT")
                self.report.checkpoint = self._checkpoint(block, place, content.encoding, names)
                self.report.bytes_scanned = place.raw - begun
                return

    def _checkpoint(self, block: Block, place: Place, encoding: str, names: Names) -> Checkpoint:
        """Return where the scan stops behind a block, which `place` is at the end of."""
        context = block.text[context_start(block.text, block.end) : block.end]
        seen_bytes = place.width(context)
        return Checkpoint(
            offset=place.raw - seen_bytes,
            line=place.line,
            column=place.column,
            encoding=encoding,
            seen_bytes=seen_bytes,
            seen_text=len(context),
            columns=names.state(),
            counts=dict(self.report.counts),
            reasons=dict(self.report.reasons),
        )

    def _block(self, block: Block, names: Names, place: Place, member: Member) -> Names:
        """Look at a block that `names` hold at the beginning of, and return those at its end."""
        engine = self._scanner.engine
        seen = engine.seen(block.text, block.start, names.syntax)
        self._check_readable(block, seen.marks, member)
        columns, after = names.over(block.text, block.start, block.end, names_of(engine.detectors), seen.marks)
        matches = engine.matches(block.text, block.start, block.end, columns, seen)
        self._take(matches, block, place, member)
        return replace(after, syntax=seen.parts.at(block.end))

    def _check_readable(self, block: Block, marks: TextMark, member: Member) -> None:
        """Note what cannot be read in a block as text."""
        report = self.report
        if b"\0" in block.text and (binary := _binary_bytes(block)):
            # A head that is text does not make the rest text.
            if not report.reasons["BINARY_DATA"]:
                report.leave(member.name, "BINARY_DATA")
            if not member.name:
                self._budget.leave(binary)
        if TextMark.ENCODED_FILE in marks and not member.plain and encoded_file_in(block.text, block.start, block.end):
            # Those at the beginning make a text a container, see `content_type_of`.
            report.leave(member.name, "ENCODED_FILE")

    def _take(self, matches: list[Match], block: Block, place: Place, member: Member) -> None:
        scanner, report = self._scanner, self.report
        neighbours = _Neighbours(matches)
        for index, match in enumerate(matches):
            if scanner.only is not None and match.detector not in scanner.only:
                continue
            if scanner.allows(match):
                continue
            report.counts[match.detector] += 1
            if report.counts[match.detector] > scanner.cap:
                report.truncated = True
                continue
            place.advance(block.text, block.offset, match.start)
            report.findings.append(scanner.finding(match, neighbours.of(index), block.text, place, member))


class _Neighbours:
    """Which of some matches, nearly in order, may stand in the context of one of them."""

    def __init__(self, matches: list[Match]) -> None:
        self._matches = matches
        # The furthest end of each and all before it, and the first start of each and all behind it.
        self._ends = [*accumulate((match.end for match in matches), max)]
        self._starts = [*accumulate((match.start for match in reversed(matches)), min)][::-1]

    def of(self, index: int) -> list[Match]:
        """Return the match with that index, and those around it whose bytes its context has; no more than some."""
        match = self._matches[index]
        low, high = index, index + 1
        lowest, highest = max(0, index - _NEIGHBOURS), min(len(self._matches), high + _NEIGHBOURS)
        while low > lowest and self._ends[low - 1] > match.start - CONTEXT_BYTES:
            low -= 1
        while high < highest and self._starts[high] < match.end + CONTEXT_BYTES:
            high += 1
        return self._matches[low:high]


def _binary_bytes(block: Block) -> int:
    """Return how many bytes of a block are no text: all from the beginning of an archive on, or what windows have."""
    if mark := _BINARY_MARK.search(block.text, block.start, block.end):
        return block.end - mark.start()
    windows = (block.text[place : min(place + _WINDOW, block.end)] for place in range(block.start, block.end, _WINDOW))
    return sum(len(window) for window in windows if share_of(window, CONTROL) > _BINARY_SHARE)


def finding_of(document: dict[str, Any]) -> Finding:
    """Return the finding that was made a document of."""
    return Finding(**document | {"decoded_from": tuple(document["decoded_from"])})


class _OutsideError(Exception):
    """The object could not be read, which is no fault of what is in it."""

    def __init__(self, fault: Exception) -> None:
        super().__init__()
        self.fault = fault


def _typed(read: Read, *, plain: bool = False) -> tuple[ContentType, Read]:
    """Return what the bytes are that `read` gives (where they are known to be `plain` text: that), and their reader."""
    head, again = _peeked(read, SNIFFED_BYTES)
    if plain:
        return ContentType(Kind.TEXT), again
    content = content_type_of(head)
    if content.kind in (Kind.TEXT, Kind.OTHER) and head.startswith(b"#!"):
        head, again = _peeked(again, SCRIPT_BYTES)
        if archive_behind(head):
            return ContentType(Kind.SCRIPT), again
    return content, again


def _peeked(read: Read, size: int) -> tuple[bytes, Read]:
    """Return the first bytes that `read` gives, and a reader that gives them once more; a fault comes behind them."""
    head = b""
    fault: UnreadableError | None = None
    try:
        while len(head) < size and (part := read(size - len(head))):
            head += part
    except UnreadableError as error:
        fault = error
    if not head and fault:
        raise fault
    waiting = head

    def again(count: int) -> bytes:
        nonlocal waiting
        if waiting:
            part, waiting = waiting[:count], waiting[count:]
            return part
        if fault:
            raise fault
        return read(count)

    return head, again
