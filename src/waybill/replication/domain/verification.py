"""Fixity checks: whether copies are now what their source is now, by what S3 states of both or by reading both.

A throttle, a denial or a time-out is `NOT_CHECKED` with its code: never a mismatch, and never a success. What differs
is looked at once more, since a source that has just been written is no damaged copy.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache
from heapq import merge
from itertools import groupby
from typing import Protocol

from waybill.core.clock import iso
from waybill.core.errors import WaybillError
from waybill.core.retry import Retry
from waybill.core.wire import WireModel
from waybill.replication.domain.buckets import Buckets
from waybill.replication.domain.comparison import CONTENT, compare
from waybill.replication.errors import SourceNotFoundError, SupersededError
from waybill.replication.models import CopyProof, FileId, ListedObject, ObjectFacts, ObjectPlace

_LOOKS = 4
IN_PROGRESS = "IN_PROGRESS"


class VerificationResult(StrEnum):
    """How a copy stands; `NOT_PROVEN`: nothing but the size could be compared. `WITHOUT_SOURCE`: there is no source."""

    EQUAL = "EQUAL"
    DIFFERS = "DIFFERS"
    MISSING = "MISSING"
    NOT_PROVEN = "NOT_PROVEN"
    NOT_CHECKED = "NOT_CHECKED"
    WITHOUT_SOURCE = "WITHOUT_SOURCE"


# What was not looked at says nothing of the copy, and one without a source is compared with nothing.
_RECORDED = frozenset(VerificationResult) - {VerificationResult.NOT_CHECKED, VerificationResult.WITHOUT_SOURCE}


class VerificationWay(StrEnum):
    """By what contents were compared: `STATED`, what S3 keeps of them; `DEEP`, their bytes, read on both sides."""

    STATED = "STATED"
    DEEP = "DEEP"


class VerificationCheck(WireModel):
    """One object at one destination, as it was found at the time `at`.

    `difference` names what differs, `proof` what has proven the content, `code` why it was not checked. `sha256` of
    the bytes that were read, in hexadecimal.
    """

    key: str
    destination_bucket: str
    result: VerificationResult
    at: str
    way: VerificationWay | None = None
    proof: CopyProof | None = None
    code: str | None = None
    difference: str | None = None
    size: int | None = None
    source_version_id: str | None = None
    version_id: str | None = None
    sha256: str | None = None

    @property
    def repairable(self) -> bool:
        """Whether another copy of the source mends it."""
        return self.result in {VerificationResult.DIFFERS, VerificationResult.MISSING}


class VerificationRecords(Protocol):
    """Where checks are kept. All methods raise `TrackingUnavailableError` when the table cannot be reached."""

    def record_check(self, source_bucket: str, verification_id: str, check: VerificationCheck) -> None:
        """Keep the check as the file's last one at its destination."""
        ...

    def has_other_source(self, file: FileId, bucket: str) -> bool:
        """Return whether replication brings the key to the destination `bucket` from another source."""
        ...

    def is_in_progress(self, file: FileId) -> bool:
        """Return whether the record has the file in progress."""
        ...


class VerificationBuckets(Buckets, Protocol):
    """S3, also read."""

    def sha256(self, facts: ObjectFacts) -> str:
        """Return the SHA-256 of the object's bytes, in hexadecimal, as long as it is in this state.

        Raises
        ------
        SupersededError
            It has changed.
        """
        ...


@dataclass(frozen=True)
class Sides:
    """A key with the buckets whose listings have it, and the codes of what keeps others from being listed."""

    key: str
    listed: frozenset[str]
    faults: Mapping[str, str]


def side_by_side(source: str, listings: Mapping[str, Iterable[ListedObject]]) -> Iterator[Sides]:
    """Yield every key of the listings, in their order; the one of `source` has to be whole, the others may end early.

    A destination that fails is a fault of every source from there on, and of the empty key where there is none.

    Raises
    ------
    WaybillError
        The source cannot be listed.
    """
    faults: dict[str, str] = {}
    told: set[str] = set()

    def tagged(bucket: str, listing: Iterable[ListedObject]) -> Iterator[tuple[str, str]]:
        try:
            for item in listing:
                yield item.key, bucket
        except WaybillError as error:
            if bucket == source:
                raise
            faults[bucket] = error.code

    streams = [tagged(bucket, listing) for bucket, listing in listings.items()]
    # S3 lists keys in the order of their UTF-8 bytes, which is the order of code points, by which Python compares.
    for key, group in groupby(merge(*streams), key=lambda each: each[0]):
        listed = frozenset(bucket for _, bucket in group)
        unknown = {bucket: code for bucket, code in faults.items() if bucket not in listed and source in listed}
        told |= unknown.keys()
        yield Sides(key, listed, unknown)
    if untold := {bucket: code for bucket, code in faults.items() if bucket not in told}:
        yield Sides("", frozenset(), untold)


@dataclass(frozen=True)
class VerificationChecker:
    """Checks the copies of objects of one source; `deep`: by reading both, of `sample` percent of the objects.

    Which objects these are the verification's id decides: whoever goes on with it reads the same ones, and the next
    verification reads others.
    """

    source_bucket: str
    destination_buckets: tuple[str, ...]
    verification_id: str
    buckets: VerificationBuckets
    records: VerificationRecords
    retry: Retry
    deep: bool
    now: Callable[[], datetime]
    sample: int = 100

    def reads(self, key: str) -> bool:
        """Return whether the object and its copies are read."""
        digest = hashlib.sha256(f"{self.verification_id}/{key}".encode(errors="surrogatepass")).digest()
        return self.deep and int.from_bytes(digest[:4]) % 100 < self.sample

    def check(self, sides: Sides) -> tuple[VerificationCheck, ...]:
        """Return and record how the copies of a key stand; the source is looked at and read once for all of them.

        Raises
        ------
        TrackingUnavailableError
            It cannot be recorded.
        """
        look = _Look(self, sides)
        buckets = self.destination_buckets if sides.key else tuple(sides.faults)
        checks = tuple(check for bucket in buckets if (check := look.settled(bucket)) is not None)
        for check in checks:
            if check.result in _RECORDED and check.code is None:
                self._record(check)
        return checks

    def _record(self, check: VerificationCheck) -> None:
        self.retry.call(lambda: self.records.record_check(self.source_bucket, self.verification_id, check))


class _Look:
    """One key, looked at beside its copies."""

    def __init__(self, checker: VerificationChecker, sides: Sides) -> None:
        self._checker = checker
        self._sides = sides
        self._file = FileId(checker.source_bucket, sides.key)
        self._call = checker.retry.call
        self._digests: dict[tuple[str, str], str] = {}
        self._source: Callable[[], ObjectFacts | None] = cache(lambda: self._find(checker.source_bucket))

    def settled(self, bucket: str) -> VerificationCheck | None:
        """Return how the copy stands beside a source that has not changed while they were compared."""
        if bucket in self._sides.faults:
            return self._found(bucket, VerificationResult.NOT_CHECKED, code=self._sides.faults[bucket])
        try:
            source = self._source()
            for _ in range(_LOOKS):
                with suppress(SupersededError):
                    check = self._beside(bucket, source)
                    if check is None or check.result is VerificationResult.EQUAL:
                        return check
                    after = self._find(self._checker.source_bucket)
                    if (after and after.identity) == (source and source.identity):
                        return self._explained(check)
                    source = after
                    continue
                source = self._find(self._checker.source_bucket)
        except WaybillError as error:
            return self._found(bucket, VerificationResult.NOT_CHECKED, code=error.code)
        return self._found(bucket, VerificationResult.NOT_CHECKED, code=SupersededError.code)

    def _explained(self, check: VerificationCheck) -> VerificationCheck:
        """Return the check with the word that a run is bringing the copy, where one is."""
        under_way = check.repairable and self._call(lambda: self._checker.records.is_in_progress(self._file))
        return check.model_copy(update={"code": IN_PROGRESS}) if under_way else check

    def _beside(self, bucket: str, source: ObjectFacts | None) -> VerificationCheck | None:
        copy = self._find(bucket)
        if source is None:
            if copy is None or self._call(lambda: self._checker.records.has_other_source(self._file, bucket)):
                return None
            return self._found(bucket, VerificationResult.WITHOUT_SOURCE, copy=copy)
        if copy is None:
            return self._found(bucket, VerificationResult.MISSING, source=source)
        state = self._call(lambda: compare(self._checker.buckets, source, copy))
        differences, proof, way, digest = list(state.differences), state.proof, VerificationWay.STATED, None
        if self._checker.reads(self._sides.key) and CONTENT not in differences:
            way, proof, digest = VerificationWay.DEEP, CopyProof.CHECKSUM, self._read(source)
            if self._read(copy) != digest:
                differences.insert(0, CONTENT)
        if differences:
            result = VerificationResult.DIFFERS
        else:
            result = VerificationResult.NOT_PROVEN if proof is CopyProof.SIZE else VerificationResult.EQUAL
        told = {"way": way, "proof": proof, "difference": ", ".join(differences) or None, "sha256": digest}
        return self._found(bucket, result, source=source, copy=copy).model_copy(update=told)

    def _find(self, bucket: str) -> ObjectFacts | None:
        return self._call(lambda: self._checker.buckets.find(ObjectPlace(bucket, self._sides.key)))

    def _read(self, facts: ObjectFacts) -> str:
        known = (facts.bucket, facts.identity)
        if known not in self._digests:
            try:
                self._digests[known] = self._call(lambda: self._checker.buckets.sha256(facts))
            except SourceNotFoundError as error:
                raise SupersededError(str(error)) from error
        return self._digests[known]

    def _found(
        self,
        bucket: str,
        result: VerificationResult,
        *,
        source: ObjectFacts | None = None,
        copy: ObjectFacts | None = None,
        code: str | None = None,
    ) -> VerificationCheck:
        known = source or copy
        return VerificationCheck(
            key=self._sides.key,
            destination_bucket=bucket,
            result=result,
            at=iso(self._checker.now()),
            code=code,
            size=known.size if known else None,
            source_version_id=source.version_id if source else None,
            version_id=copy.version_id if copy else None,
        )
