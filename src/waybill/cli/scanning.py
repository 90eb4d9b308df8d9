"""`waybill scan-file`: look for sensitive data."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Group

from waybill.cli.context import App, Cli
from waybill.cli.output import details, table

app = App()

DetectorOption = Annotated[
    list[str] | None, typer.Option("--detector", help="Only findings of this detector; may be repeated.", metavar="D")
]


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
    cli.output.show(result, _human(result))


def _human(result: dict[str, Any]) -> Group:
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
