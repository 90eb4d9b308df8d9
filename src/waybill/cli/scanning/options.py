"""Options that commands of the scanner share, and what is made of what they are given."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from pydantic import BaseModel, ValidationError

from waybill.cli.completion import KNOWN, among, known
from waybill.cli.context import Cli
from waybill.cli.scanning import reporting
from waybill.cli.scanning.runtime import scanner_of
from waybill.core.errors import InvalidInputError
from waybill.core.wire import field_errors

if TYPE_CHECKING:
    from waybill.scanning.domain.own_detectors import OwnDetector
    from waybill.scanning.runtime import Runtime


def _detectors(incomplete: str) -> list[str]:
    from waybill.scanning.domain.detection.rules import detectors

    return sorted(detector.id for detector in detectors() if detector.id.startswith(incomplete))


def _newest(cli: Cli) -> list[str]:
    return [job.job_id for job in scanner_of(cli).table.jobs.newest(KNOWN, None)[0]]


DetectorOption = Annotated[
    list[str] | None,
    typer.Option(
        "--detector",
        help="Only findings of this detector; may be repeated.",
        metavar="D",
        autocompletion=_detectors,
    ),
]
RegionOption = Annotated[
    list[str] | None,
    typer.Option(
        "--region", help="Telephone numbers as this region writes them too, such as GB; may be repeated.", metavar="R"
    ),
]
ConfidenceOption = Annotated[
    str | None,
    typer.Option(
        "--min-confidence",
        help="Only findings so sure: LOW, MEDIUM, HIGH.",
        metavar="C",
        callback=reporting.known_confidence,
        autocompletion=among(reporting.CONFIDENCES),
    ),
]
FormatOption = Annotated[
    str,
    typer.Option(
        "--format",
        help="table, json, ndjson, csv or sarif.",
        metavar="F",
        callback=reporting.known_format,
        autocompletion=reporting.formats,
    ),
]
JobFormatOption = Annotated[
    str,
    typer.Option(
        "--format",
        help="table, json, ndjson, csv, sarif, or asff for AWS Security Hub.",
        metavar="F",
        callback=reporting.known_job_format,
        autocompletion=reporting.job_formats,
    ),
]
SortOption = Annotated[
    str,
    typer.Option(
        "--sort",
        help="place, confidence or detector.",
        metavar="S",
        callback=reporting.known_order,
        autocompletion=among(reporting.ORDERS),
    ),
]
FailOption = Annotated[bool, typer.Option("--fail-on-findings", help="Exit with status 3 when something is found.")]
BaselineOption = Annotated[
    Path | None,
    typer.Option(
        "--baseline", help="Leave out what this file names as known.", metavar="FILE", exists=True, dir_okay=False
    ),
]
WriteBaselineOption = Annotated[
    Path | None,
    typer.Option(
        "--write-baseline",
        help="Write what is found or known to this file, shown or not.",
        metavar="FILE",
        dir_okay=False,
        writable=True,
    ),
]
JobArgument = Annotated[str, typer.Argument(help="Id of the job.", metavar="JOB", autocompletion=known(_newest))]


IncludeOption = Annotated[
    list[str] | None, typer.Option("--include", help="Only keys that match; may be repeated.", metavar="GLOB")
]
ExcludeOption = Annotated[
    list[str] | None, typer.Option("--exclude", help="No keys that match; may be repeated.", metavar="GLOB")
]
MaxBytesOption = Annotated[
    int | None, typer.Option("--max-bytes", help="Leave out larger objects.", metavar="N", min=1)
]
SampleOption = Annotated[
    str | None, typer.Option("--sample", help="Only a part: 5% of the objects, or 500 of them.", metavar="N[%]")
]
WebhookOption = Annotated[
    str | None, typer.Option("--webhook", help="Send the end of the job to this https address.", metavar="URL")
]
ExportOption = Annotated[bool, typer.Option("--export", help="Export the findings as NDJSON at the end.")]


@dataclass(frozen=True)
class ScanOptions:
    """What a scan is asked for, whether it is made once or by a schedule."""

    detector: list[str] | None
    region: list[str] | None
    include: list[str] | None
    exclude: list[str] | None
    max_bytes: int | None
    sample: str | None
    webhook: str | None
    export: bool

    def fields(self) -> dict[str, Any]:
        """Return the fields of the request."""
        return {
            "detectors": self.detector or (),
            "regions": self.region or (),
            "include": self.include or (),
            "exclude": self.exclude or (),
            "max_object_bytes": self.max_bytes,
            "sample": sample_of(self.sample) if self.sample is not None else None,
            "webhook_url": self.webhook,
            "export": self.export,
        }

    def check(self, deployed: "Runtime") -> None:
        """Refuse names that there are not, with those that there are."""
        check_regions(self.region)
        check_detectors(self.detector, deployed.detectors.listed() if self.detector else ())


def place_of(url: str) -> tuple[str, str]:
    """Return the bucket and the prefix of an address."""
    bucket, _, prefix = url.removeprefix("s3://").partition("/")
    if not url.startswith("s3://") or not bucket:
        raise typer.BadParameter(f"{url} is not of the form s3://BUCKET/PREFIX")
    return bucket, prefix


def request_of[Request: BaseModel](model: type[Request], **given: Any) -> Request:
    """Return the request with these fields; raises InvalidInputError, which names each that does not do."""
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise InvalidInputError(*field_errors(error)) from None


def sample_of(text: str) -> dict[str, float | int]:
    """Return the part of the objects that `5%` or a number of them stands for."""
    share, number = text.removesuffix("%"), text.isdecimal()
    try:
        return {"objects": int(text)} if number else {"percent": float(share)}
    except ValueError:
        raise typer.BadParameter(f"--sample {text} is neither a number of objects nor a share such as 5%") from None


def check_detectors(names: list[str] | None, own: Iterable["OwnDetector"] = ()) -> None:
    """Refuse the name of no detector, of the shipped ones and some of a stack's own."""
    if names:
        from waybill.scanning.domain.detection.rules import detectors

        known = sorted([*(each.id for each in own if each.finds), *(detector.id for detector in detectors())])
        unknown = sorted(set(names) - set(known))
        if unknown:
            raise typer.BadParameter(f"--detector {unknown[0]} is not a detector; there are: {', '.join(known)}")


def check_regions(names: list[str] | None) -> None:
    """Refuse what is no region whose telephone numbers can be told."""
    if names:
        from waybill.scanning.domain.detection.validators.telephone import regions_known

        unknown = sorted(set(names) - regions_known())
        if unknown:
            raise typer.BadParameter(f"--region {unknown[0]} is not a region: two capitals, such as GB (ISO 3166-1)")
