"""`waybill sar preview`: what a template makes of an answer, without a stack."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import typer

from waybill.cli.context import Cli
from waybill.cli.errors import CommandError
from waybill.cli.files import read_json, read_text
from waybill.cli.grammar import App

app = App()


_Data = Annotated[
    Path,
    typer.Option(
        "--data", help="The service's answer, JSON: with `content`, or that alone.", exists=True, dir_okay=False
    ),
]
_Template = Annotated[
    Path | None,
    typer.Option(
        "--template", help="The template; without one, as a service without one.", exists=True, dir_okay=False
    ),
]
_Names = Annotated[
    Path | None,
    typer.Option("--names", help="Names for codes, as `waybill sar names` takes them.", exists=True, dir_okay=False),
]
_Output = Annotated[Path, typer.Option("--output", "-o", help="File to write.", dir_okay=False, writable=True)]


@app.command()
def preview(
    cli: Cli,
    data: _Data,
    template: _Template = None,
    names: _Names = None,
    label: Annotated[str, typer.Option("--label", help="The title of the section.")] = "Sample",
    output: _Output = Path("preview.pdf"),
) -> None:
    """Draw the sample of a service's part, and list what it does not print. Exit status 1 where it cannot be drawn."""
    from waybill.subject_access.domain.report.errors import TemplateError
    from waybill.subject_access.domain.report.models import IdKind, Lookups, Number, Subject
    from waybill.subject_access.domain.report.preview import preview as drawn
    from waybill.subject_access.domain.report.preview import sample_section

    answer = read_json(data, parse_int=Number, parse_float=Number)
    content = answer["content"] if isinstance(answer, dict) and "content" in answer else answer
    try:
        lookups = Lookups.from_json(read_json(names)) if names else Lookups()
    except ValueError as error:
        raise typer.BadParameter(f"{names}: {error}") from error
    section = sample_section("sample", label, content, read_text(template) if template else None, lookups, data.parent)
    subject = Subject("SAMPLE, Person", IdKind.NOMIS, "A1234AA")
    try:
        with TemporaryDirectory() as folder:
            found = drawn(section, subject, output, Path(folder))
    except TemplateError as error:
        raise CommandError(f"{template or data}: {error}") from None
    told: dict[str, Any] = {
        "file": str(output),
        "pages": found.summary.pages,
        "notPrinted": list(found.unprinted),
        "notChecked": found.unchecked,
        "unprintable": dict(found.summary.unprintable),
    }
    lines = [f"{output}: {found.summary.pages} pages", *(f"not printed: {path}" for path in found.unprinted)]
    told["notShown"] = [{"name": one.name, "reason": one.problem} for one in found.summary.attachments if one.problem]
    lines += [f"not shown: {one['name']}: {one['reason']}" for one in told["notShown"]]
    lines += [f"no letter for {code}: {count} times" for code, count in found.summary.unprintable.items()]
    if found.unchecked:
        lines.append(f"{found.unchecked:,} more values were not tried")
    cli.output.show(told, "\n".join(lines))
