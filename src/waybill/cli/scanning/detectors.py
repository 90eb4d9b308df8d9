"""`waybill detectors`: detectors and allow lists of a stack's own."""

from contextlib import nullcontext
from getpass import getuser
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from pydantic import ValidationError

from waybill.cli.context import Cli
from waybill.cli.grammar import App
from waybill.cli.output import details, table
from waybill.cli.scanning.runtime import scanner_of
from waybill.core.errors import FieldError, InvalidInputError
from waybill.core.wire import field_errors

if TYPE_CHECKING:
    from waybill.scanning.domain.detection.rules import Detector
    from waybill.scanning.domain.own_detectors import OwnDetector
    from waybill.scanning.request_models import DetectorRequest

app = App()
detectors = App(name="detectors", help="What is looked for: shipped detectors, those of your own, and allow lists.")
app.add_typer(detectors)

_FILE_BYTES = 1 << 20
_TRIAL_BYTES = 40_000
_TRIED = ("detector", "confidence", "line", "column", "byte_offset", "byte_length", "masked_match", "sample")
DetectorArgument = Annotated[str, typer.Argument(help="Id of the detector.", metavar="ID")]
FileArgument = Annotated[
    Path,
    typer.Argument(
        help="YAML in the format of the shipped detectors.", metavar="FILE", exists=True, dir_okay=False, readable=True
    ),
]


@detectors.command("list")
def list_detectors(cli: Cli) -> None:
    """List the detectors of the stack's own, then those that Waybill brings."""
    from waybill.scanning.domain.detection.rules import detectors as shipped

    own = [_document(each) for each in scanner_of(cli).detectors.listed()]
    brought = [_brought(each) for each in shipped()]
    rows = [(each["id"], "shipped" if each["shipped"] else "own", each["description"]) for each in (*own, *brought)]
    cli.output.show({"detectors": [*own, *brought]}, table(("Id", "Whose", "Finds"), rows))


@detectors.command("show")
def show(cli: Cli, detector: DetectorArgument) -> None:
    """Show a detector; of one of the stack's own, its definition too."""
    from waybill.scanning.domain.detection.rules import detectors as shipped

    brought = next((_brought(each) for each in shipped() if each.id == detector), None)
    shown = brought or _document(scanner_of(cli).detectors.find(detector))
    cli.output.show(shown, details({name.capitalize(): value for name, value in shown.items() if value}))


@detectors.command("put")
def put(cli: Cli, file: FileArgument) -> None:
    """Define the detectors of a file; each is refused unless its own examples hold."""
    known = scanner_of(cli).detectors
    saved = [_document(known.put(name, request, getuser())) for name, request in _read(file)]
    rows = ((each["id"], str(each["version"])) for each in saved)
    cli.output.show({"detectors": saved}, table(("Id", "Version"), rows))


@detectors.command("delete")
def delete(cli: Cli, detector: DetectorArgument) -> None:
    """Delete a detector of the stack's own; what was found by it stays."""
    gone = _document(scanner_of(cli).detectors.delete(detector, getuser()))
    cli.output.show(gone, f"{gone['id']} is deleted")


@detectors.command("try")
def try_out(
    cli: Cli,
    detector: DetectorArgument,
    file: Annotated[
        str,
        typer.Argument(
            help="A text; - for standard input. It is kept nowhere.",
            metavar="FILE",
            exists=True,
            dir_okay=False,
            allow_dash=True,
            # Of a path Typer 0.29 does not see that it is a dash, and looks for a file of that name.
            path_type=str,
        ),
    ],
) -> None:
    """Show what a detector finds in a text; of an allow list, what it leaves."""
    from waybill.scanning.domain.trial import tried

    content = _text(file)
    found = tried(detector, content, scanner_of(cli).detectors)
    shown = [{name: getattr(each, name) for name in _TRIED} for each in found.findings]
    rows = ([str(each[name]) for name in _TRIED] for each in shown)
    said = table([name.replace("_", " ").capitalize() for name in _TRIED], rows)
    cli.output.show({"findings": shown, "total": found.total, "allowed": found.allowed}, said)
    if found.allowed:
        cli.output.note(f"{found.allowed} more that an allow list lets pass")


@detectors.command("test")
def test(cli: Cli, file: FileArgument) -> None:
    """Try the detectors of a file on their own examples; no stack is needed."""
    from waybill.scanning.domain.own_detectors import proved

    names = []
    for name, request in _read(file):
        proved(name, request)
        names.append(name)
    cli.output.show({"detectors": names}, f"{len(names)} hold: {', '.join(names)}")


def _text(file: str) -> str:
    import sys

    try:
        with nullcontext(sys.stdin.buffer) if file == "-" else Path(file).open("rb") as source:
            content = source.read(_TRIAL_BYTES + 1)
    except OSError as error:
        raise InvalidInputError(FieldError("FILE", f"cannot be read: {error.strerror}")) from None
    if len(content) > _TRIAL_BYTES:
        raise InvalidInputError(FieldError("FILE", f"must have {_TRIAL_BYTES} bytes at most"))
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidInputError(FieldError("FILE", "must be text in UTF-8")) from None


def _brought(found: "Detector") -> dict[str, Any]:
    return {"id": found.id, "shipped": True, "description": found.description}


def _document(found: "OwnDetector") -> dict[str, Any]:
    from waybill.scanning.request_models import DetectorRequest

    definition = DetectorRequest.model_validate_json(found.definition)
    plain = definition.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
    described = {"id": found.id, "shipped": False, "description": definition.description}
    return {**described, "version": found.version, "by": found.by, "at": found.at, "definition": plain}


def _read(file: Path) -> list[tuple[str, "DetectorRequest"]]:
    """Return the definitions of a file by their ids; raises InvalidInputError."""
    import re

    import yaml

    from waybill.scanning.request_models import DetectorRequest

    try:
        text = file.read_text("utf-8")
        if len(text) > _FILE_BYTES:
            raise ValueError("too long")
        document = yaml.safe_load(text)
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise InvalidInputError(FieldError("FILE", f"cannot be read: {type(error).__name__}")) from None
    entries = document if isinstance(document, list) else [document]
    found = []
    for number, entry in enumerate(entries):
        if not isinstance(entry, dict) or not re.fullmatch(r"[A-Z][A-Z0-9_]{1,63}", str(entry.get("id"))):
            raise InvalidInputError(FieldError(f"[{number}].id", "must be the id of a detector, in capitals"))
        try:
            rest = {name: value for name, value in entry.items() if name != "id"}
            found.append((str(entry["id"]), DetectorRequest.model_validate(rest)))
        except ValidationError as error:
            raise InvalidInputError(*field_errors(error)) from None
    return found
