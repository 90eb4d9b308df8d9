"""A consignment as readers see it."""

from dataclasses import replace
from typing import Any, Protocol

from waybill.consignments.domain.explanations import explanation
from waybill.consignments.domain.ports import Reader, Register
from waybill.consignments.domain.tables import Tables
from waybill.consignments.models import CHECKS, Consignment, ConsignmentStatus, FileRow, RunFailure, StatusName
from waybill.core.errors import RetryableError
from waybill.core.executions import ExecutionState

_ENDED = frozenset({ConsignmentStatus.COMPLETED, ConsignmentStatus.COMPLETED_WITH_ISSUES})
_BROKEN_OFF = frozenset({"FAILED", "TIMED_OUT", "ABORTED"})
# What stands for the step of an execution that was ended from outside of its states.
WHOLE_WORKFLOW = "Workflow"


class ExecutionStates(Protocol):
    """Knows how executions stand."""

    def state(self, execution_arn: str) -> ExecutionState | None:
        """Return how the execution stands; None for one that is unknown."""
        ...


def as_it_stands(consignment: Consignment, register: Register, executions: ExecutionStates) -> Consignment:
    """Return the consignment, as broken where its execution has ended and nothing says so.

    An execution that is stopped, runs out of time or hits an error that no state can catch (Step Functions developer
    guide, "Handling errors": `States.Runtime`) records nothing, and its checks would be in progress for ever.
    """
    if consignment.started_arn not in {None, consignment.execution_arn}:
        return _unclaimed(consignment, str(consignment.started_arn), register, executions)
    if consignment.status != ConsignmentStatus.IN_PROGRESS or consignment.execution_arn is None:
        return consignment
    try:
        state = executions.state(consignment.execution_arn)
    except RetryableError:
        # What is stored is good enough while Step Functions asks to slow down.
        return consignment
    if state is None or state.status == "RUNNING":
        return consignment
    # Its last write may have come between the two looks.
    now = register.find(consignment.consignment_id) or consignment
    if (now.status, now.execution_arn) != (ConsignmentStatus.IN_PROGRESS, consignment.execution_arn):
        return now
    if state.status not in _BROKEN_OFF:
        return now
    return _broken(now, state)


def _unclaimed(consignment: Consignment, arn: str, register: Register, executions: ExecutionStates) -> Consignment:
    """Return the consignment as the run leaves it that was started and has not claimed it yet.

    What an earlier run has found says nothing about this one, neither a failure nor a success.
    """
    try:
        state = executions.state(arn)
    except RetryableError:
        state = ExecutionState("RUNNING")
    now = register.find(consignment.consignment_id) or consignment
    if now.started_arn != arn:
        # It has claimed between the two looks.
        return now
    pending = replace(
        now,
        status=ConsignmentStatus.IN_PROGRESS,
        statuses={},
        run=now.run + 1,
        execution_arn=arn,
        execution_name=arn.rpartition(":")[2],
        failure=None,
        differences=None,
    )
    if state is None or state.status not in _BROKEN_OFF:
        return pending
    return _broken(pending, state)


def _broken(consignment: Consignment, state: ExecutionState) -> Consignment:
    failure: RunFailure = {
        "step": WHOLE_WORKFLOW,
        "executionName": consignment.execution_name,
        "error": state.error or state.status,
        "cause": state.cause or f"the execution ended as {state.status}",
    }
    statuses = {**consignment.statuses, StatusName.CLIENT_CHECKS: ConsignmentStatus.FAILED}
    return replace(consignment, status=ConsignmentStatus.FAILED, statuses=statuses, failure=failure)


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
    broken = {"failure": consignment.failure, "differences": consignment.differences}
    return {**report, **{name: dict(found) for name, found in broken.items() if found is not None}}


def file_page(
    consignment: Consignment, reader: Reader, tables: Tables, limit: int, after: str | None
) -> tuple[list[dict[str, Any]], str | None]:
    """Return a page of files with the explanation of each verdict, and the id after which the next page begins."""
    rows, last = reader.file_rows(consignment.consignment_id, limit, after)
    return [file_report(row, tables) for row in rows], last


def file_report(row: FileRow, tables: Tables) -> dict[str, Any]:
    """Return one file as the API shows it; what is not known yet is absent.

    `run` is the number of the run that found this: lower than the consignment's `runs` as long as a later one has not
    come to its end.
    """
    results = row["results"]
    verdicts = results.get("verdicts", [])
    return {
        "fileId": row["fileId"],
        "path": row["path"],
        "size": row["size"],
        "clientChecksum": row["sha256"],
        "statuses": row["statuses"],
        **{name: value for name, value in results.items() if name != "verdicts"},
        **({"run": row["run"]} if row["run"] is not None else {}),
        "explanations": [explanation(verdict, tables) for verdict in verdicts],
    }
