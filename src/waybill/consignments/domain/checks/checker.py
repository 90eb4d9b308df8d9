"""Checks the files of a group, one after the other; what is wrong with one leaves the others as they are."""

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

from pydantic import ValidationError

from waybill.consignments.domain.checks.contents import ContentFetcher, Fetched
from waybill.consignments.domain.checks.errors import ChecksUnavailableError, FileRefusedError
from waybill.consignments.domain.checks.models import (
    OUT_OF_TIME,
    Examination,
    Failure,
    FileRecord,
    Findings,
    Reason,
)
from waybill.consignments.domain.checks.ports import Antivirus, Scanners
from waybill.consignments.domain.checks.scan_answers import ScanAnswer
from waybill.consignments.domain.evidence import INCOMPLETE, formats_of
from waybill.consignments.domain.file_records import CheckedRecord, RegisteredRecord
from waybill.consignments.models import Check
from waybill.core.clock import moment_of
from waybill.core.prefetch import Prefetch

# Small files are examined in bunches, which is twice as fast; a bunch that takes longer is examined one by one. While
# the results of one are put together, the parsers are at the next.
_TOGETHER = 16
_TOGETHER_BYTES = 16 << 20
_TOGETHER_SECONDS = 30.0
_BUNCHES = 2
# Small files are fetched while others are examined: S3 takes longer to begin an answer than to give it. Those that
# wait take disk; a large one alone keeps the line busy for long enough.
_SMALL_BYTES = 8 << 20
_THREADS = 4
_DEPTH = 8

type _FilePrefetch = Prefetch[FileRecord, Fetched]
type _Parsed = tuple[RegisteredRecord, FileRecord | Failure]
type _Answers = dict[str, Any]


@dataclass(frozen=True)
class _Waiting:
    """A file that has been read and not yet examined."""

    record: FileRecord
    fetched: Fetched
    started_ms: int


@dataclass(frozen=True)
class _Bunch:
    """Files that are examined together: what is known of each, the copies, and the answers for those that wait."""

    documents: list[RegisteredRecord]
    entries: "list[Findings | _Waiting]"
    copies: ExitStack
    answers: Future[list[_Answers]]


@dataclass(frozen=True)
class FileTimeLimits:
    """Seconds that one file may take: to identify and inspect it, and to scan it (or one block of it)."""

    format_seconds: float = 60.0
    scan_seconds: float = 180.0


class FileChecker:
    """Checks files.

    Parameters
    ----------
    fetcher : Fetcher
        Reads the objects.
    scanners : Scanners
        The parsers.
    antivirus : Antivirus
        The engine that judges.
    limits : Limits
        Time for one file.
    seconds_left : callable
        Time for all of them.
    now_ms : callable
        The time, in milliseconds since 1970.
    last_attempt : bool
        Whether an object that S3 does not give now is a failure of that file, instead of one of the group.
    """

    def __init__(
        self,
        fetcher: ContentFetcher,
        scanners: Scanners,
        antivirus: Antivirus,
        limits: FileTimeLimits,
        seconds_left: Callable[[], float],
        now_ms: Callable[[], int],
        *,
        last_attempt: bool,
    ) -> None:
        self._fetcher = fetcher
        self._scanners = scanners
        self._antivirus = antivirus
        self._limits = limits
        self._seconds_left = seconds_left
        self._now_ms = now_ms
        self._last_attempt = last_attempt

    def lines(self, records: Iterable[RegisteredRecord]) -> Iterator[CheckedRecord]:
        """Yield each record with its results.

        Raises
        ------
        ChecksUnavailableError
            Nothing can be checked now.
        RuleSetInvalidError
            The rules cannot be used.
        """
        self._scanners.versions()
        documents = list(records)
        parsed = [_parsed(document) for document in documents]
        files = [record for record in parsed if isinstance(record, FileRecord)]
        under_way: deque[_Bunch] = deque()
        with self._prefetch(files) as ahead, ThreadPoolExecutor(_BUNCHES) as pool:
            try:
                for some in _bunches(zip(documents, parsed, strict=True)):
                    under_way.append(self._begin(some, ahead, under_way, pool))
                    if len(under_way) > _BUNCHES:
                        yield from self._finish(under_way.popleft())
                while under_way:
                    yield from self._finish(under_way.popleft())
            finally:
                wait([bunch.answers for bunch in under_way])
                for bunch in under_way:
                    bunch.copies.close()

    def _begin(
        self, some: list[_Parsed], ahead: _FilePrefetch, under_way: Iterable[_Bunch], pool: ThreadPoolExecutor
    ) -> _Bunch:
        with ExitStack() as copies:
            entries = [self._entry(record, ahead, copies, under_way) for _, record in some]
            waiting = [entry for entry in entries if isinstance(entry, _Waiting)]
            answers = pool.submit(self._examined_together, waiting)
            return _Bunch([document for document, _ in some], entries, copies.pop_all(), answers)

    def _finish(self, bunch: _Bunch) -> Iterator[CheckedRecord]:
        with bunch.copies:
            answers = iter(bunch.answers.result())
            for document, entry in zip(bunch.documents, bunch.entries, strict=True):
                findings = self._judged(entry, next(answers)) if isinstance(entry, _Waiting) else entry
                yield findings.document(document)

    def _prefetch(self, files: Iterable[FileRecord]) -> _FilePrefetch:
        return Prefetch(
            files,
            lambda record: self._fetcher.fetch_small(record, _SMALL_BYTES),
            threads=_THREADS,
            depth=_DEPTH,
            ahead=lambda record: record.object_size is not None and record.object_size <= _SMALL_BYTES,
            discard=Fetched.close,
        )

    def _fetch(self, record: FileRecord) -> Fetched:
        scanners = self._scanners if self._antivirus.scans else None
        return self._fetcher.fetch(record, scanners, self._seconds(self._limits.scan_seconds))

    def _entry(
        self, record: FileRecord | Failure, ahead: _FilePrefetch, copies: ExitStack, under_way: Iterable[_Bunch]
    ) -> "Findings | _Waiting":
        """Return what is known of a file: all there is, or a small file that is examined with others."""
        if isinstance(record, Failure):
            return Findings.failed(record)
        started_ms = self._now_ms()
        try:
            fetched = ahead.take(record)
            if fetched is None:
                # The parsers look at a large file, or at the blocks of a stream, with nothing beside it.
                wait([bunch.answers for bunch in under_way])
                fetched = self._fetch(record)
        except FileRefusedError as error:
            return Findings.failed(error.failure)
        except ChecksUnavailableError:
            if not self._last_attempt:
                raise
            return Findings.failed(Failure(Reason.S3_UNAVAILABLE, "S3 did not give the file, however often asked."))
        entry = _Waiting(record, fetched, started_ms)
        if fetched.stream is None and fetched.size <= _SMALL_BYTES:
            copies.enter_context(fetched)
            return entry
        with fetched:
            return self._judged(entry, self._twice(entry, self._scanners.examine(self._question(entry))))

    def _examined_together(self, entries: "Sequence[_Waiting]") -> list[_Answers]:
        seconds = self._seconds(min(_TOGETHER_SECONDS, self._limits.format_seconds, self._limits.scan_seconds))
        answers = self._scanners.examine_all([self._question(entry) for entry in entries], seconds)
        return [self._twice(entry, found) for entry, found in zip(entries, answers, strict=True)]

    def _twice(self, entry: "_Waiting", answers: _Answers) -> _Answers:
        """Return the answers; what a parser failed of is asked once more, in a fresh process with nothing beside it.

        What fails the same way again is a verdict on the file. Where there is no time for that, it is none.
        """
        question = self._question(entry)
        # A list of what an archive holds is no verdict: it is missing where it cannot be made.
        for part in [part for part, answer in answers.items() if part != "members" and _is_of_a_parser(answer)]:
            if self._seconds_left() < self._full(part):
                answers[part] = OUT_OF_TIME
                continue
            again = self._scanners.examine_afresh(replace(question, parts={part: self._full(part)}))[part]
            answers[part] = replace(again, of_the_file=True) if _is_of_a_parser(again) else again
        return answers

    def _full(self, part: str) -> float:
        return self._limits.scan_seconds if part == "scan" else self._limits.format_seconds

    def _judged(self, entry: "_Waiting", answers: dict[str, Any]) -> Findings:
        record, fetched = entry.record, entry.fetched
        findings = Findings(reading=fetched.reading())
        digest = fetched.digest
        checksum = {"fileId": record.file_id, "sha256Checksum": digest.sha256, "emptyContent": digest.blank}
        findings.add(Check.CHECKSUM, checksum)
        findings.add(Check.FILE_FORMAT, self._format(record, fetched, answers))
        findings.add(Check.ANTIVIRUS, self._verdict(record, fetched, answers, entry.started_ms))
        return findings

    def _question(self, entry: "_Waiting") -> Examination:
        fetched = entry.fetched
        parts = dict.fromkeys(("identify", "inspect"), self._seconds(self._limits.format_seconds))
        if self._antivirus.scans and fetched.stream is None:
            parts["scan"] = self._seconds(self._limits.scan_seconds)
        if entry.record.inside and fetched.stream is None:
            parts["members"] = self._seconds(self._limits.format_seconds)
        return Examination(fetched.path, parts, entry.record.extension, partial=fetched.stream is not None)

    def _seconds(self, limit: float) -> float:
        return max(0.1, min(limit, self._seconds_left()))

    def _format(self, record: FileRecord, fetched: Fetched, answers: dict[str, Any]) -> dict[str, Any] | Failure:
        found, inside = answers["identify"], answers["inspect"]
        for answer in (found, inside):
            if isinstance(answer, Failure) and answer.of_the_file:
                versions = self._scanners.versions()
                return {"fileId": record.file_id, **versions, "matches": [], "unexaminable": _told(answer)}
            if isinstance(answer, Failure):
                return answer
        incomplete = inside.get("beginsAsNamed") and not inside.get("endsAsNamed") and not formats_of(found)
        return {
            "fileId": record.file_id,
            **found,
            **{name: value for name, value in inside.items() if name not in _FOR_THE_CHECKER},
            "warnings": [*found["warnings"], *inside["warnings"], *([INCOMPLETE] if incomplete else [])],
            "timedOut": False,
            **self._age(found.get("signaturesCreated", "")),
            "partial": fetched.stream is not None,
            **_members(answers.get("members")),
        }

    def _age(self, created: str) -> dict[str, int]:
        """Return how many days old the signatures are, where they say when they were built."""
        built = moment_of(created)
        return {"signatureAgeDays": max(0, int((self._now_ms() / 1000 - built.timestamp()) // _DAY))} if built else {}

    def _verdict(
        self, record: FileRecord, fetched: Fetched, answers: dict[str, Any], started_ms: int
    ) -> dict[str, Any] | Failure:
        partial = fetched.stream is not None
        found: Any = _NOTHING
        if self._antivirus.scans:
            found = answers["scan"] if fetched.stream is None else fetched.stream.outcome()
        if isinstance(found, Failure) and not found.of_the_file:
            return found
        if isinstance(found, Failure):
            verdict = self._asked(record, fetched, started_ms, _NOTHING)
            return verdict if isinstance(verdict, Failure) else {**verdict, "unexaminable": _told(found)}
        if partial and self._antivirus.scans and _could_hold_more(answers["inspect"]):
            # Of what is too large to be kept, the rules have seen the bytes as they lie there.
            unscanned = [{"path": "", "reason": "TOO_LARGE"}]
            found = {**found, "unscanned": unscanned, "unscannedCount": len(unscanned)}
        return self._asked(record, fetched, started_ms, found)

    def _asked(
        self, record: FileRecord, fetched: Fetched, started_ms: int, found: ScanAnswer
    ) -> dict[str, Any] | Failure:
        content = fetched.path if fetched.stream is None else None
        partial = content is None
        return self._antivirus.verdict(record, fetched.version_id, started_ms, found, partial=partial, content=content)


_DAY = 86_400
# What an inspection says that is no result.
_FOR_THE_CHECKER = frozenset({"inside", "beginsAsNamed"})
_NOTHING: ScanAnswer = {"hits": [], "unscanned": [], "unscannedCount": 0}


def _bunches(files: Iterable[_Parsed]) -> Iterator[list[_Parsed]]:
    """Cut files into bunches, none of which has many bytes: their copies stand on the disk at the same time."""
    bunch: list[_Parsed] = []
    size = 0
    for document, record in files:
        bunch.append((document, record))
        size += record.object_size or 0 if isinstance(record, FileRecord) else 0
        if len(bunch) == _TOGETHER or size >= _TOGETHER_BYTES:
            yield bunch
            bunch, size = [], 0
    if bunch:
        yield bunch


def _members(answer: Any) -> dict[str, Any]:
    if isinstance(answer, Failure):
        return {"members": {"count": 0, "listed": [], "notListed": [{"path": "", "reason": answer.reason.value}]}}
    return {"members": answer} if answer else {}


def _is_of_a_parser(answer: Any) -> bool:
    return isinstance(answer, Failure) and answer.reason in {Reason.UNREADABLE, Reason.CRASHED, Reason.TIME_LIMIT}


def _told(failure: Failure) -> dict[str, str]:
    return {"reason": failure.reason.value, "sentence": failure.sentence}


def _could_hold_more(inspected: Any) -> bool:
    return isinstance(inspected, Failure) or bool(inspected.get("inside"))


def _parsed(document: RegisteredRecord) -> FileRecord | Failure:
    try:
        return FileRecord.model_validate(document)
    except ValidationError as error:
        fields = ", ".join(sorted({str(problem["loc"][0]) for problem in error.errors()}))
        return Failure(Reason.INVALID_RECORD, f"The record lacks a usable {fields}.")


class Counts:
    """How many lines there are, and how many of them have a result, by check."""

    def __init__(self) -> None:
        self.files = 0
        self._found: Counter[str] = Counter()

    def add(self, line: CheckedRecord) -> None:
        """Count one line."""
        self.files += 1
        self._found.update(name for name, found in line["fileCheckResults"].items() if found)

    def by_check(self) -> dict[str, int]:
        """Return the number of results by check."""
        return {check.value: self._found[check.value] for check in Check}
