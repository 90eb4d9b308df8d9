"""`waybill scan`, `waybill scans`, `waybill findings`, `waybill scan-file`: look for sensitive data."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Group

from waybill.cli.context import App, Cli
from waybill.cli.output import ProgressBar, details, table

app = App()
scans = App(name="scans", help="The jobs of `waybill scan`.", no_args_is_help=True)
app.add_typer(scans)

_POLL_SECONDS = 1.0
_RUNNING = frozenset({"listing", "processing"})
_GOOD = frozenset({"completed", "processing", "listing"})

DetectorOption = Annotated[
    list[str] | None, typer.Option("--detector", help="Only findings of this detector; may be repeated.", metavar="D")
]
JobArgument = Annotated[str, typer.Argument(help="Id of the job.", metavar="JOB")]


@app.command()
def scan(
    cli: Cli,
    place: Annotated[str, typer.Argument(help="s3://BUCKET or s3://BUCKET/PREFIX", metavar="S3_URL")],
    detector: DetectorOption = None,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until the job has ended, and show what it found.")] = False,
) -> None:
    """Scan a bucket for sensitive data; with --wait, exit status 1 when the job fails or objects do."""
    from waybill.scanning.costs import estimate
    from waybill.scanning.models import ScanRequest

    bucket, prefix = _place(place)
    deployed = _Scanner(cli)
    request = ScanRequest(bucket=bucket, prefix=prefix, detectors=tuple(detector or ()))
    if not cli.options.json and cli.output.console.is_terminal:
        objects, size, more = _first_objects(cli, bucket, prefix)
        cost = estimate(objects, size)
        least = "at least " if more else ""
        cli.output.note(f"{least}{objects:,} objects, {size:,} bytes: {least}about ${cost:.4f} on AWS")
    job = deployed.jobs.create(request, "waybill scan", None)
    deployed.jobs.start(job, deployed.executions, deployed.workflow_arn)
    report = _watched(cli, deployed, job.job_id) if wait else deployed.jobs.report(job.job_id)
    coverage = deployed.jobs.coverage(job.job_id)
    cli.output.show({**report, "coverage": coverage}, _job(report, coverage))
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


@app.command()
def findings(cli: Cli, job_id: JobArgument, detector: DetectorOption = None) -> None:
    """Show what a job has found, masked."""
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
) -> None:
    """Scan local files with the engine that scans buckets."""
    from waybill.scanning.detection.engine import standard_engine
    from waybill.scanning.local_files import files_under, scan_files

    engine = standard_engine()
    unknown = set(detector or ()) - {known.id for known in engine.detectors}
    if unknown:
        raise typer.BadParameter(f"--detector {min(unknown)} is not a detector")
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
        from waybill.scanning.jobs import Jobs
        from waybill.scanning.store import ScansTable

        stack = cli.stack
        self.workflow_arn = stack.output("ScanWorkflowArn")
        self.executions = StepFunctions(cli.client("stepfunctions"))
        self.store = ScansTable(cli.client("dynamodb"), stack.output("ScansTableName"), now=now)
        notifier = SnsNotifier(cli.client("sns"), stack.output("FailureTopicArn"))
        completion = Completion(self.store, EventAnnouncer(cli.client("events"), notifier))
        self.jobs = Jobs(self.store, S3Bucket(lambda: cli.client("s3"), None), completion, now)


def _place(url: str) -> tuple[str, str]:
    bucket, _, prefix = url.removeprefix("s3://").partition("/")
    if not url.startswith("s3://") or not bucket:
        raise typer.BadParameter(f"{url} is not of the form s3://BUCKET/PREFIX")
    return bucket, prefix


def _first_objects(cli: Cli, bucket: str, prefix: str) -> tuple[int, int, bool]:
    """Objects and bytes of the first page, and whether there are more."""
    from waybill.scanning.buckets import S3Bucket

    entries, final = S3Bucket(lambda: cli.client("s3"), None).page(bucket, prefix, "", 1000)
    return len(entries), sum(entry.size for entry in entries), not final


def _watched(cli: Cli, deployed: _Scanner, job_id: str) -> dict[str, Any]:
    with cli.output.progress("listing") as bar:
        done = 0
        while True:
            report = deployed.jobs.report(job_id)
            done = _advance(bar, report, done)
            if report["status"] not in _RUNNING:
                return report
            time.sleep(_POLL_SECONDS)


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
    reasons = ", ".join(f"{found['objects']} {reason}" for reason, found in coverage["reasons"].items())
    shown = {
        "Job": report["job_id"],
        "Place": f"s3://{report['bucket']}/{report['prefix']}",
        "Status": f"{report['status']}: {report['status_message']}",
        "Objects": f"{report['total']:,}: "
        + (", ".join(f"{count:,} {outcome}" for outcome, count in coverage["outcomes"].items()) or "none yet"),
        "Bytes": f"{coverage['bytes_scanned']:,} of {coverage['bytes_total']:,} looked at",
        "Not looked at": reasons or None,
        "From cache": coverage["from_cache"] or None,
        "Error": report.get("error"),
    }
    rows = sorted(report["detectors"].items(), key=lambda row: -int(row[1]))
    return Group(details({name: value for name, value in shown.items() if value}), "", table(("Found", ""), rows))


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
