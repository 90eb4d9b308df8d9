"""Findings as they leave a command: in which form, which of them are new, and what the exit status says."""

from collections.abc import Container, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from rich.console import RenderableType

from waybill.cli.context import Cli
from waybill.core.errors import FieldError, InvalidInputError

if TYPE_CHECKING:
    from waybill.scanning.domain.finding_documents import FindingDocument
    from waybill.scanning.domain.own_detectors import OwnDetector
    from waybill.scanning.models import Job
    from waybill.scanning.runtime import Runtime

FOUND = 3
"""Exit status where findings are a failure."""
# What could not be read because of a fault, in the file or around it; other reasons are how things are.
FAULTS = frozenset(
    {
        *("ACCESS_DENIED", "UNREADABLE", "PARSER_FAILED", "MEMORY", "TIME_LIMIT"),
        *("ARCHIVE_BROKEN", "ARCHIVE_TRUNCATED", "TRAILING_DATA", "WORKER_FAILED"),
    }
)
CONFIDENCES = ("LOW", "MEDIUM", "HIGH")
ORDERS = ("place", "confidence", "detector")


def known_format(form: str) -> str:
    """Return a format that there is, else refuse it."""
    from waybill.scanning.domain.reports import FORMATS

    if form not in FORMATS:
        raise typer.BadParameter(f"{form} is none of {', '.join(FORMATS)}")
    return form


def known_job_format(form: str) -> str:
    """Return a format that findings of a job may have, else refuse it."""
    return form if form == "asff" else known_format(form)


def formats(incomplete: str) -> list[str]:
    """Return the formats that begin with what is typed."""
    from waybill.scanning.domain.reports import FORMATS

    return [form for form in FORMATS if form.startswith(incomplete)]


def job_formats(incomplete: str) -> list[str]:
    """Return the formats that findings of a job may have, and that begin with what is typed."""
    return [*formats(incomplete), *(["asff"] if "asff".startswith(incomplete) else [])]


def known_order(order: str) -> str:
    """Return an order that there is, else refuse it."""
    if order not in ORDERS:
        raise typer.BadParameter(f"{order} is none of {', '.join(ORDERS)}")
    return order


def known_confidence(confidence: str | None) -> str | None:
    """Return a confidence that there is, or None, else refuse it."""
    if confidence is not None and confidence not in CONFIDENCES:
        raise typer.BadParameter(f"{confidence} is none of {', '.join(CONFIDENCES)}")
    return confidence


def known(baseline: Path | None, mark: str) -> dict[str, str]:
    """Return the detectors of a baseline by fingerprint, none without one; raises InvalidInputError."""
    from waybill.scanning.domain.baseline import read_baseline

    if baseline is None:
        return {}
    try:
        text = baseline.read_text("utf-8")
    except (OSError, UnicodeError) as error:
        raise InvalidInputError(FieldError("--baseline", f"cannot be read: {type(error).__name__}")) from None
    return read_baseline(text, mark)


def save(file: Path | None, findings: "Sequence[FindingDocument]", known: Mapping[str, str], mark: str) -> None:
    """Write a baseline of what is found, whether it is shown or not, and of what is known; raises InvalidInputError."""
    from waybill.scanning.domain.baseline import baseline_text

    if file is None:
        return
    try:
        file.write_text(baseline_text(findings, known, mark), "utf-8")
    except OSError as error:
        raise InvalidInputError(FieldError("--write-baseline", f"cannot be written: {type(error).__name__}")) from None


def wanted(
    findings: "Iterable[FindingDocument]", known: Container[str], min_confidence: str | None, order: str
) -> "list[FindingDocument]":
    """Return the findings that are not known, and at least so sure; the surest first, by detector, or as they come."""
    least = CONFIDENCES.index(min_confidence) if min_confidence else 0
    found = [
        finding
        for finding in findings
        if finding["fingerprint"] not in known and CONFIDENCES.index(finding["confidence"]) >= least
    ]
    if order == "confidence":
        found.sort(key=lambda finding: -CONFIDENCES.index(finding["confidence"]))
    elif order == "detector":
        found.sort(key=lambda finding: str(finding["detector"]))
    return found


def notes(reasons: Mapping[str, Any]) -> list[str]:
    """Return a sentence for each reason why something was not looked at."""
    counts = {name: each["objects"] if isinstance(each, Mapping) else each for name, each in reasons.items()}
    return [f"not looked at: {count} {name}" for name, count in counts.items()]


def show_security_hub(cli: Cli, findings: "Sequence[FindingDocument]", job: "Job", deployed: "Runtime") -> None:
    """Print findings as AWS Security Hub takes them, a line for each."""
    from waybill.core.text import json_text
    from waybill.scanning.domain.own_detectors import descriptions
    from waybill.scanning.domain.security_hub import security_hub_findings

    own = deployed.table.detectors.all()
    outcomes = deployed.table.outcomes.get(job.job_id, sorted({str(each["key"]) for each in findings}))
    shown = security_hub_findings(findings, job, descriptions(own), frozenset(each.id for each in own), outcomes)
    lines = (json_text(each) for each in shown)
    cli.output.raw("".join(f"{line}\n" for line in lines))


def show(  # noqa: PLR0917 (what there is to print)
    cli: Cli,
    form: str,
    result: Mapping[str, Any],
    human: RenderableType,
    notes: Sequence[str],
    coverage: Mapping[str, Any],
    own: "Iterable[OwnDetector]" = (),
) -> None:
    """Print findings in a form; `own` are the stack's own detectors, those that are deleted too."""
    from waybill import __version__
    from waybill.scanning.domain.own_detectors import descriptions
    from waybill.scanning.domain.reports import csv_text, ndjson_text, sarif

    findings = result["findings"]
    match form:
        case "csv":
            cli.output.raw(csv_text(findings))
        case "ndjson":
            cli.output.raw(ndjson_text(findings, coverage))
        case "sarif":
            cli.output.data(sarif(findings, descriptions(own), __version__, notes))
        case "json":
            cli.output.data(result)
        case _:
            cli.output.show(result, human)
