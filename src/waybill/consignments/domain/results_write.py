"""The one write of a run's results."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import cast

from waybill.consignments.domain.copies import PlacedCopy, place_of, placed
from waybill.consignments.domain.file_records import CheckedRecord, FileOutcome, FileResults, StoredVerdict
from waybill.consignments.domain.judgement import judged_files, redaction_outcomes
from waybill.consignments.domain.ports import Register, RunDocuments, RunRecords
from waybill.consignments.domain.registration import existing
from waybill.consignments.domain.statuses import StatusRow, is_accepted
from waybill.consignments.errors import RunSupersededError
from waybill.consignments.models import Consignment, CopyPlace


def newest_run(register: Register, consignment_id: str, execution_arn: str) -> Consignment:
    """Return the consignment of a run that nothing has taken over from.

    Raises
    ------
    RunSupersededError
        A newer run has.
    """
    consignment = existing(register, consignment_id)
    if consignment.execution_arn != execution_arn:
        raise RunSupersededError(f"a newer run checks consignment {consignment_id}")
    return consignment


@dataclass(frozen=True)
class Judged:
    """What a run says of the consignment: its statuses, the worst of them, and in how many lines copies were made."""

    statuses: Mapping[str, str]
    status: str
    copies: int


def record_results(records: RunRecords, consignment: Consignment, documents: RunDocuments, judged: Judged) -> int:
    """Write every file's row, then the consignment's statuses; return the number of files.

    The statuses of the consignment come last: whoever waits for them finds the files' there.
    Repeated, it writes the same again.
    """
    counted = _Counted(_rows(documents, judged.copies))
    records.write_files(consignment, counted)
    records.finish(consignment, judged.statuses, judged.status)
    return counted.number


def _rows(documents: RunDocuments, copies: int) -> Iterator[FileOutcome]:
    redactions = redaction_outcomes(documents)
    done = _InOrder(each for line in range(copies) for each in documents.reading(placed(line), required=False))
    for line, rows in judged_files(documents):
        values = {row["statusName"]: row["statusValue"] for row in rows}
        original = redactions.get(line["fileId"], (None, None))[1]
        place = place_of(values) if copies else CopyPlace.NOWHERE
        results = _results(line, rows, values, original)
        if place is not CopyPlace.NOWHERE:
            results["copiedTo"] = place.value
        if found := done.of(line["fileId"]):
            results |= {"copy": found["copy"]} if "copy" in found else {}
            results |= {"removed": found["removed"]} if "removed" in found else {}
        yield {"fileId": line["fileId"], "statuses": values, "results": results}


def _results(
    line: CheckedRecord, rows: list[StatusRow], values: Mapping[str, str], original: str | None
) -> FileResults:
    checks = line["fileCheckResults"]
    results = {
        "accepted": is_accepted(values),
        "checksum": checks["checksum"][0].get("sha256Checksum") if checks["checksum"] else None,
        "antivirus": checks["antivirus"][0] if checks["antivirus"] else None,
        "fileFormat": checks["fileFormat"][0] if checks["fileFormat"] else None,
        "verdicts": [_verdict(row) for row in rows],
        "versionId": line.get("versionId"),
        "eTag": line.get("eTag"),
        "objectSize": line.get("objectSize"),
        "originalFilepath": original,
    }
    return cast("FileResults", {name: value for name, value in results.items() if value is not None})


def _verdict(row: StatusRow) -> StoredVerdict:
    verdict: StoredVerdict = {"statusName": row["statusName"], "value": row["statusValue"]}
    for name in ("rule", "detail", "tableVersion"):
        if name in row:
            verdict[name] = row[name]
    return verdict


class _InOrder:
    """What was done about copies, by files that are asked for in the same order; nothing was done about others."""

    def __init__(self, done: Iterator[PlacedCopy]) -> None:
        self._done = done
        self._next = next(done, None)

    def of(self, file_id: str) -> PlacedCopy | None:
        found = self._next
        if found is None or found["fileId"] != file_id:
            return None
        self._next = next(self._done, None)
        return found


class _Counted:
    def __init__(self, rows: Iterator[FileOutcome]) -> None:
        self._rows = rows
        self.number = 0

    def __iter__(self) -> Iterator[FileOutcome]:
        for row in self._rows:
            self.number += 1
            yield row
