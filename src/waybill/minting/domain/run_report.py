"""The result of a run of chunks: in the state where it fits, else as a report in S3."""

import json
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import IO, Protocol, cast

from waybill.minting.domain.plan import STATE_BYTES
from waybill.minting.errors import ResultsMissingError
from waybill.minting.models import MintResponse, RunSummary

_IN_MEMORY_BYTES = 16_000_000


@dataclass
class MintingTotals:
    """Counts of a run, and its whole result as long as that is small enough for the state."""

    success_count: int = 0
    failure_count: int = 0
    chunk_count: int = 0
    predecessors_ignored: int = 0
    inline: MintResponse | None = field(default_factory=lambda: MintResponse(successes=[], failures=[], identifiers={}))
    _size: int = 0

    def add(self, result: MintResponse) -> None:
        """Add the response of one chunk."""
        self.success_count += len(result["successes"])
        self.failure_count += len(result["failures"])
        self.predecessors_ignored += result.get("predecessorsIgnored", 0)
        self.chunk_count += 1
        # As ASCII, which is the longest way that it may travel.
        self._size += len(json.dumps([result["successes"], result["failures"], result["identifiers"]]))
        if self._size > STATE_BYTES:
            self.inline = None
        if self.inline is not None:
            self.inline["successes"].extend(result["successes"])
            self.inline["failures"].extend(result["failures"])
            self.inline["identifiers"].update(result["identifiers"])

    def counts(self) -> RunSummary:
        """Return the counts as the workflow shows them."""
        counts: RunSummary = {"successCount": self.success_count, "failureCount": self.failure_count}
        return {**counts, "predecessorsIgnored": self.predecessors_ignored} if self.predecessors_ignored else counts


class ReportFile:
    """Writes `{…, "successes": […], "failures": […], "identifiers": {…}}` part by part, in constant memory."""

    def __init__(self) -> None:
        self._parts = {name: _spool() for name in ("successes", "failures", "identifiers")}

    def add(self, result: MintResponse) -> None:
        """Add the response of one chunk."""
        self._append("successes", map(_json, result["successes"]))
        self._append("failures", map(_json, result["failures"]))
        self._append("identifiers", (f"{_json(key)}:{_json(value)}" for key, value in result["identifiers"].items()))

    def finished(self, head: RunSummary) -> IO[bytes]:
        """Return the report from its start; `head` holds its other members."""
        report = _spool()
        report.write(_json(head)[:-1].encode())
        for name, part in self._parts.items():
            opening, closing = ("{", "}") if name == "identifiers" else ("[", "]")
            report.write(f',"{name}":{opening}'.encode())
            part.seek(0)
            while block := part.read(1 << 20):
                report.write(block)
            report.write(closing.encode())
            part.close()
        report.write(b"}")
        report.seek(0)
        return report

    def _append(self, name: str, members: Iterable[str]) -> None:
        part = self._parts[name]
        for member in members:
            part.write(("," if part.tell() else "").encode() + member.encode())


class Runs(Protocol):
    """What a run keeps between its states: the responses of its chunks, in the order of the request, and its report."""

    def results(self, run: str) -> Iterator[MintResponse]: ...  # noqa: D102 - as the class says

    def write_report(self, run: str, report: IO[bytes]) -> str: ...  # noqa: D102


def summary(runs: Runs, run: str, chunk_count: int, job_id: str | None) -> RunSummary:
    """Return the counts of a run with its `successes`, `failures` and `identifiers`, or the `reportUri` of them.

    Raises
    ------
    ResultsMissingError
        Not every chunk has left its result.
    """
    totals, report = MintingTotals(), ReportFile()
    for result in runs.results(run):
        totals.add(result)
        report.add(result)
    if totals.chunk_count != chunk_count:
        raise ResultsMissingError(f"{totals.chunk_count} of {chunk_count} chunks of {run} have left their result")
    head = totals.counts()
    if job_id is not None:
        head["jobId"] = job_id
    if totals.inline is not None:
        whole = totals.inline
        return {
            **head,
            "successes": whole["successes"],
            "failures": whole["failures"],
            "identifiers": whole["identifiers"],
        }
    return {**head, "reportUri": runs.write_report(run, report.finished(head))}


def _spool() -> IO[bytes]:
    return cast("IO[bytes]", tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES))


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))
