"""`waybill scan`, `waybill scans`, `waybill findings`, `waybill scan-file`: look for sensitive data."""

import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from pydantic import ValidationError
from rich.console import Group

from waybill.cli.context import App, Cli
from waybill.cli.output import ProgressBar, details, table
from waybill.cli.patience import looks
from waybill.core.errors import InvalidInputError
from waybill.core.wire import field_errors

if TYPE_CHECKING:
    from waybill.scanning.models import Entry, ScanRequest

app = App()
scans = App(name="scans", help="The jobs of `waybill scan`.", no_args_is_help=True)
app.add_typer(scans)

_COUNTING_SECONDS = 10.0
_RUNNING = frozenset({"listing", "processing"})
_GOOD = frozenset({"completed", "processing", "listing"})

DetectorOption = Annotated[
    list[str] | None, typer.Option("--detector", help="Only findings of this detector; may be repeated.", metavar="D")
]
RegionOption = Annotated[
    list[str] | None,
    typer.Option(
        "--region", help="Telephone numbers as this region writes them too, such as GB; may be repeated.", metavar="R"
    ),
]
JobArgument = Annotated[str, typer.Argument(help="Id of the job.", metavar="JOB")]


@app.command()
def scan(  # noqa: PLR0913, PLR0917 (options)
    cli: Cli,
    place: Annotated[str, typer.Argument(help="s3://BUCKET or s3://BUCKET/PREFIX", metavar="S3_URL")],
    detector: DetectorOption = None,
    region: RegionOption = None,
    include: Annotated[
        list[str] | None, typer.Option("--include", help="Only keys that match; may be repeated.", metavar="GLOB")
    ] = None,
    exclude: Annotated[
        list[str] | None, typer.Option("--exclude", help="No keys that match; may be repeated.", metavar="GLOB")
    ] = None,
    max_bytes: Annotated[
        int | None, typer.Option("--max-bytes", help="Leave out larger objects.", metavar="N", min=1)
    ] = None,
    sample: Annotated[
        str | None, typer.Option("--sample", help="Only a part: 5% of the objects, or 500 of them.", metavar="N[%]")
    ] = None,
    manifest: Annotated[
        str | None,
        typer.Option("--inventory", help="Take the objects from this inventory's manifest.json.", metavar="S3_URL"),
    ] = None,
    webhook: Annotated[str | None, typer.Option("--webhook", help="Tell this address the end.", metavar="URL")] = None,
    export: Annotated[bool, typer.Option("--export", help="Export the findings as NDJSON at the end.")] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until the job has ended, and show what it found.")] = False,
) -> None:
    """Scan a bucket for sensitive data; with --wait, exit status 1 when the job fails or objects do."""
    bucket, prefix = _place(place)
    request = _request(
        bucket=bucket,
        prefix=prefix,
        detectors=detector or (),
        regions=region or (),
        include=include or (),
        exclude=exclude or (),
        max_object_bytes=max_bytes,
        sample=_sample(sample) if sample is not None else None,
        source="inventory" if manifest else "list",
        manifest=manifest,
        webhook_url=webhook,
        export=export,
    )
    _known_detectors(detector)
    _known_regions(region)
    deployed = _Scanner(cli)
    estimate = None if manifest else _estimate(cli, deployed, bucket, prefix)
    job = deployed.jobs.create(request, "waybill scan", None)
    deployed.jobs.start(job, deployed.executions, deployed.workflow_arn)
    cli.output.note(f"job {job.job_id}: waybill scans show {job.job_id}")
    report = _watched(cli, deployed, job.job_id) if wait else deployed.jobs.report(job.job_id)
    coverage = deployed.jobs.coverage(job.job_id)
    shown = {**report, "coverage": coverage, **({"estimate": estimate} if estimate else {})}
    cli.output.show(shown, _job(report, coverage))
    if report["status"] not in _GOOD:
        raise typer.Exit(1)


@scans.command("show")
def show_scan(cli: Cli, job_id: JobArgument) -> None:
    """Show a job, what it found, and what was not looked at."""
    jobs = _Scanner(cli).jobs
    report, coverage = jobs.report(job_id), jobs.coverage(job_id)
    cli.output.show({**report, "coverage": coverage}, _job(report, coverage))


@scans.command("list")
def list_scans(
    cli: Cli, limit: Annotated[int, typer.Option("--limit", min=1, max=100, help="How many jobs.", metavar="N")] = 20
) -> None:
    """List jobs, newest first."""
    deployed = _Scanner(cli)
    found = [deployed.jobs.report(job.job_id) for job in deployed.store.newest(limit, None)[0]]
    columns = ("job_id", "status", "bucket", "prefix", "total", "total_findings", "created_at")
    rows = ([report[name] for name in columns] for report in found)
    cli.output.show({"scans": found}, table([name.replace("_", " ").capitalize() for name in columns], rows))


@scans.command("cancel")
def cancel_scan(cli: Cli, job_id: JobArgument) -> None:
    """Cancel a job."""
    jobs = _Scanner(cli).jobs
    jobs.cancel(job_id)
    report, coverage = jobs.report(job_id), jobs.coverage(job_id)
    cli.output.show(report, _job(report, coverage))


@scans.command("resume")
def resume_scan(
    cli: Cli,
    job_id: JobArgument,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until the job has ended, and show what it found.")] = False,
) -> None:
    """Go on with a job that has failed, from where it was; with --wait, exit status 1 when it fails again."""
    from waybill.scanning.restarting import Restarter

    deployed = _Scanner(cli)
    deployed.jobs.resume(job_id, Restarter(deployed.store, deployed.executions, deployed.workflow_arn))
    report = _watched(cli, deployed, job_id) if wait else deployed.jobs.report(job_id)
    coverage = deployed.jobs.coverage(job_id)
    cli.output.show({**report, "coverage": coverage}, _job(report, coverage))
    if report["status"] not in _GOOD:
        raise typer.Exit(1)


@app.command()
def findings(cli: Cli, job_id: JobArgument, detector: DetectorOption = None) -> None:
    """Show what a job has found, masked."""
    _known_detectors(detector)
    deployed = _Scanner(cli)
    deployed.jobs.find(job_id)
    found = list(_findings(deployed, job_id, detector))
    columns = ("Key", "Line", "Column", "Detector", "Confidence", "Value")
    names = ("key", "line", "column", "detector", "confidence", "masked_match")
    cli.output.show({"findings": found}, table(columns, ([item[name] for name in names] for item in found)))


@app.command("scan-file")
def scan_file(
    cli: Cli,
    paths: Annotated[list[Path], typer.Argument(help="Files, or folders with everything below them.", metavar="PATH…")],
    detector: DetectorOption = None,
    region: RegionOption = None,
) -> None:
    """Scan local files with the engine that scans buckets."""
    from waybill.scanning.detection.engine import standard_engine
    from waybill.scanning.local_files import files_under, scan_files

    _known_detectors(detector)
    _known_regions(region)
    engine = standard_engine(regions=region or ())
    result = scan_files(files_under(paths), engine, frozenset(detector) if detector else None)
    cli.output.show(result, _files(result))


class _Scanner:
    """The scanner of the stack that the options name."""

    def __init__(self, cli: Cli) -> None:
        from waybill.core.clock import now
        from waybill.core.executions import StepFunctions
        from waybill.core.notifications import SnsNotifier
        from waybill.scanning.announcer import EventAnnouncer
        from waybill.scanning.buckets import S3Bucket
        from waybill.scanning.completion import Completion
        from waybill.scanning.inventory import Inventory
        from waybill.scanning.jobs import Jobs
        from waybill.scanning.store import ScansTable

        stack = cli.stack
        self.workflow_arn = stack.output("ScanWorkflowArn")
        self.executions = StepFunctions(cli.client("stepfunctions"))
        self.store = ScansTable(cli.client("dynamodb"), stack.output("ScansTableName"), now=now)
        notifier = SnsNotifier(cli.client("sns"), stack.output("FailureTopicArn"))
        completion = Completion(self.store, EventAnnouncer(cli.client("events"), notifier))
        # Judged by the user's own permissions; the functions' allow-list holds for what they do later.
        self.bucket = S3Bucket(lambda: cli.client("s3"), None)
        self.jobs = Jobs(self.store, self.bucket, completion, now, Inventory(self.bucket))


def _place(url: str) -> tuple[str, str]:
    bucket, _, prefix = url.removeprefix("s3://").partition("/")
    if not url.startswith("s3://") or not bucket:
        raise typer.BadParameter(f"{url} is not of the form s3://BUCKET/PREFIX")
    return bucket, prefix


def _request(**fields: Any) -> "ScanRequest":
    from waybill.scanning.models import ScanRequest

    try:
        return ScanRequest.model_validate(fields)
    except ValidationError as error:
        raise InvalidInputError(*field_errors(error)) from None


def _sample(text: str) -> dict[str, float | int]:
    share, number = text.removesuffix("%"), text.isdecimal()
    try:
        return {"objects": int(text)} if number else {"percent": float(share)}
    except ValueError:
        raise typer.BadParameter(f"--sample {text} is neither a number of objects nor a share such as 5%") from None


def _known_detectors(names: list[str] | None) -> None:
    if names:
        from waybill.scanning.detection.rules import detectors

        known = sorted(detector.id for detector in detectors())
        unknown = sorted(set(names) - set(known))
        if unknown:
            raise typer.BadParameter(f"--detector {unknown[0]} is not a detector; there are: {', '.join(known)}")


def _known_regions(names: list[str] | None) -> None:
    if names:
        from waybill.scanning.detection.validators import regions_known

        unknown = sorted(set(names) - regions_known())
        if unknown:
            raise typer.BadParameter(f"--region {unknown[0]} is not a region: two capitals, such as GB (ISO 3166-1)")


def _estimate(cli: Cli, deployed: "_Scanner", bucket: str, prefix: str) -> dict[str, Any]:
    """Count the objects for some seconds, as many ranges at a time as one machine can, and tell what a scan costs."""
    from waybill.scanning.costs import estimate
    from waybill.scanning.ranges import list_space

    deadline, lock, found = time.monotonic() + _COUNTING_SECONDS, threading.Lock(), Counter[str]()

    def page(prefix: str, after: str, limit: int) -> tuple[list["Entry"], bool]:
        if time.monotonic() > deadline:
            found["more"] = 1
            return [], True
        return deployed.bucket.page(bucket, prefix, after, limit)

    def note(entries: Sequence["Entry"]) -> None:
        with lock:
            found["objects"] += len(entries)
            found["bytes"] += sum(entry.size for entry in entries)

    list_space(page, prefix=prefix, fan_out=16, each=note)
    told = {
        "objects": found["objects"],
        "bytes": found["bytes"],
        "usd": round(estimate(found["objects"], found["bytes"]), 6),
        "at_least": bool(found["more"]),
    }
    least = "at least " if told["at_least"] else ""
    cli.output.note(
        f"{least}{told['objects']:,} objects, {told['bytes']:,} bytes: {least}about ${told['usd']:.4f} on AWS, "
        "if nothing of it was scanned before"
    )
    return told


def _watched(cli: Cli, deployed: _Scanner, job_id: str) -> dict[str, Any]:
    with cli.output.progress("listing") as bar:
        done = 0
        for report in looks(lambda: deployed.jobs.report(job_id)):
            done = _advance(bar, report, done)
            if report["status"] not in _RUNNING:
                break
    return report


def _advance(bar: ProgressBar, report: dict[str, Any], before: int) -> int:
    done = int(report["succeeded"] + report["skipped"] + report["failed"])
    bar.describe(str(report["status_message"]))
    bar.expect(int(report["total"]))
    bar.advance(done - before)
    return done


def _findings(deployed: _Scanner, job_id: str, detectors: list[str] | None) -> Iterator[dict[str, Any]]:
    position: str | None = None
    while True:
        items, position = deployed.store.findings(job_id, 1000, position, {})
        yield from (
            {name: value for name, value in item.items() if name not in {"pk", "sk"}}
            for item in items
            if not detectors or item["detector"] in detectors
        )
        if position is None:
            return


def _job(report: dict[str, Any], coverage: dict[str, Any]) -> Group:
    truncated = coverage["truncated_findings"]
    shown = {
        "Job": report["job_id"],
        "Place": f"s3://{report['bucket']}/{report['prefix']}",
        "Status": f"{report['status']}: {report['status_message']}",
        "Objects": f"{report['total']:,}, {coverage['objects_pending']:,} of them without an outcome yet",
        "Bytes": f"{coverage['bytes_scanned']:,} of {coverage['bytes_total']:,} looked at",
        "From cache": coverage["from_cache"] or None,
        "Truncated": f"{truncated:,} objects hold more findings than are stored" if truncated else None,
        "Export": report.get("export", {}).get("uri"),
        "Webhook": report.get("webhook", {}).get("status"),
        "Error": report.get("error"),
    }
    outcomes = [(outcome, f"{count:,}", "") for outcome, count in coverage["outcomes"].items()]
    outcomes += [
        (f"  {reason}", f"{found['objects']:,}", f"{found['bytes_not_scanned']:,}")
        for reason, found in coverage["reasons"].items()
    ]
    detectors = sorted(report["detectors"].items(), key=lambda row: -int(row[1]))
    return Group(
        details({name: value for name, value in shown.items() if value}),
        "",
        table(("Outcome", "Objects", "Bytes not looked at"), outcomes),
        "",
        table(("Detector", "Found"), ((name, f"{count:,}") for name, count in detectors)),
    )


def _files(result: dict[str, Any]) -> Group:
    coverage = result["coverage"]
    rows = (
        (
            f"{'!'.join(filter(None, (finding['file'], finding.get('member'))))}:{finding['line']}:{finding['column']}",
            finding["detector"],
            finding["confidence"] + (" (sample)" if "sample" in finding else ""),
            finding["masked_match"],
        )
        for finding in result["findings"]
    )
    summary = {
        "Files": ", ".join(f"{count} {outcome}" for outcome, count in coverage["outcomes"].items() if count) or "none",
        "Bytes": f"{coverage['bytes_scanned']:,} of {coverage['bytes_total']:,} looked at",
        "Not looked at": ", ".join(f"{count} {reason}" for reason, count in coverage["reasons"].items()) or None,
        "Found": ", ".join(f"{count} {name}" for name, count in coverage["detectors"].items()) or "nothing",
    }
    return Group(table(("Place", "Detector", "Confidence", "Value"), rows), "", details(summary))
