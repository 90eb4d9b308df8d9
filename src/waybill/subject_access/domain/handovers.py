"""What the states of the workflow hand to each other."""

from collections.abc import Mapping
from typing import Self

from waybill.core.errors import FieldError, InvalidInputError
from waybill.core.wire import WireModel
from waybill.subject_access.models import PartState, PartStatus, StoredReport, SubjectRequest

_LONGEST_ID = 64


class RenderedReport(WireModel):
    """Where a claim's report lies, and what goes with it; `bytes` is its size, `sha256` hexadecimal."""

    report_key: str
    bytes: int
    sha256: str
    pages: int
    subject_copy: "RenderedReport | None" = None
    package: "RenderedReport | None" = None

    @classmethod
    def of(cls, report: StoredReport) -> Self:
        """Return what the states hand on of a report."""
        return cls(
            report_key=report.key,
            bytes=report.bytes,
            sha256=report.sha256,
            pages=report.pages,
            subject_copy=report.copy and cls.of(report.copy),
            package=report.package and cls.of(report.package),
        )

    @property
    def stored(self) -> StoredReport:
        """The report itself."""
        return StoredReport(
            self.report_key,
            self.bytes,
            self.sha256,
            self.pages,
            None if self.subject_copy is None else self.subject_copy.stored,
            None if self.package is None else self.package.stored,
        )


def wanted_request(event: Mapping[str, object]) -> str | None:
    """Return the request that an execution is about, None for whichever is the oldest.

    Raises
    ------
    InvalidInputError
        `requestId` is no id.
    """
    wanted = event.get("requestId")
    if wanted is None:
        return None
    if not isinstance(wanted, str) or not 1 <= len(wanted) <= _LONGEST_ID or "#" in wanted:
        raise InvalidInputError(FieldError("requestId", "must be the id of a request"))
    return wanted


def claim_answer(request: SubjectRequest) -> dict[str, object]:
    """Return a claim with the parts that are still to be made; a part that is fetched is only to be rendered.

    A part that is accepted as missing is asked for while nobody has, as after a restart: it may come after all.
    """
    wanted = [name for name, part in request.services.items() if part.status is PartStatus.PENDING]
    asked = sorted({name: request.services[name] for name in (*request.missing, *wanted)}.items(), key=_rank)
    return {
        "claimed": True,
        "requestId": request.request_id,
        "claimToken": request.claim_token,
        "generation": request.generation,
        "services": [{"service": name, "rank": part.rank, "renderStatus": part.status.value} for name, part in asked],
    }


def _rank(item: tuple[str, PartState]) -> int:
    return item[1].rank


def failure_code(failure: Mapping[str, object] | None) -> str:
    """Return what to record of the error that ended an attempt; its message may hold anything and stays out."""
    name = str((failure or {}).get("Error") or PartStatus.ERRORED.value)
    return name.rpartition(".")[2][:100]
