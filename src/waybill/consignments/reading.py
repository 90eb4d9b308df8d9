"""A consignment as readers see it."""

from typing import Any

from waybill.consignments.explaining import explanation
from waybill.consignments.models import CHECKS, Consignment, Status
from waybill.consignments.ports import Reader, Register
from waybill.consignments.tables import Tables

_ENDED = frozenset({Status.COMPLETED, Status.COMPLETED_WITH_ISSUES})


def consignment_report(consignment: Consignment, reader: Reader, register: Register) -> dict[str, Any]:
    """Return `{consignmentId, type, reference, status, statuses, progress, executionArn, …}`.

    `progress` has the number of `files`, and how many of them each check has come to.
    """
    files = consignment.file_count
    if files is None:
        # No run has counted them; while pages come in, those that are there count.
        files = consignment.announced if consignment.started else register.count_files(consignment.consignment_id)
    if consignment.status in _ENDED:
        checked: Any = dict.fromkeys(CHECKS, files)
    else:
        checked = reader.progress(consignment) if consignment.started else dict.fromkeys(CHECKS, 0)
    report = {
        "consignmentId": consignment.consignment_id,
        "type": consignment.type.value,
        "reference": consignment.reference,
        "transferringBody": consignment.transferring_body,
        "status": consignment.status,
        "statuses": dict(consignment.statuses),
        "progress": {"files": files, **checked},
        "executionArn": consignment.execution_arn,
        "createdAt": consignment.created_at,
        "runs": consignment.run,
    }
    return report if consignment.failure is None else {**report, "failure": dict(consignment.failure)}


def file_page(
    consignment: Consignment, reader: Reader, tables: Tables, limit: int, after: str | None
) -> tuple[list[dict[str, Any]], str | None]:
    """Return a page of files with the explanation of each verdict, and the id after which the next page begins."""
    rows, last = reader.file_rows(consignment.consignment_id, limit, after)
    return [file_report(row, tables) for row in rows], last


def file_report(row: dict[str, Any], tables: Tables) -> dict[str, Any]:
    """Return one file as the API shows it; what is not known yet is absent."""
    results = row["results"]
    verdicts = results.get("verdicts", [])
    return {
        "fileId": row["fileId"],
        "path": row["path"],
        "size": row["size"],
        "clientChecksum": row["sha256"],
        "statuses": row["statuses"],
        **{name: value for name, value in results.items() if name != "verdicts"},
        "explanations": [explanation(verdict, tables) for verdict in verdicts],
    }
