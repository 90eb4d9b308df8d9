"""`waybill consign`, and `waybill consignments`."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import batched, groupby
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Group

from waybill.cli.adapters.uploads import Sent, Upload, Uploader
from waybill.cli.completion import KNOWN, known
from waybill.cli.consignments.runtime import Consignments
from waybill.cli.consignments.sending import HashedFile, Memory, described, note_left_out, register
from waybill.cli.consignments.showing import archives, overview, verdicts
from waybill.cli.context import Cli
from waybill.cli.errors import CommandError
from waybill.cli.grammar import App
from waybill.cli.output import table
from waybill.cli.walking import FAULTS, LeftOut, LocalFile, sha256_of, walk
from waybill.cli.walking import told as told_of
from waybill.cli.watch import watch
from waybill.consignments.domain.registration import upload_prefix
from waybill.consignments.domain.reports.exports import ExportFormat
from waybill.consignments.domain.reports.exports import export as export_text
from waybill.consignments.domain.reports.page import report as report_page
from waybill.consignments.domain.reports.summary import Summary
from waybill.consignments.domain.requests import (
    LEFT_OUT_PER_REQUEST,
    UPLOADS_PER_REQUEST,
    CorrectionsRequest,
    WaiverRequest,
    consignment_id_of,
)
from waybill.consignments.domain.tables import shipped
from waybill.consignments.models import ConsignmentStatus, ConsignmentType, LeftOutFile
from waybill.consignments.views import consignment_list_view, file_view
from waybill.core.clock import now
from waybill.core.text import escaped

_THREADS = 16
# Of what is not sent, of each kind: `--json` and the report have all of it.
_NAMED = 5
_KINDS = {
    LeftOut.LINK: "links",
    LeftOut.SPECIAL_FILE: "special files",
    LeftOut.EXCLUDED: "excluded names",
    LeftOut.UNREADABLE: "not readable",
    LeftOut.NAME_NOT_UTF8: "names that are not UTF-8",
    LeftOut.EMPTY_FOLDER: "empty folders",
    LeftOut.CHANGED: "changed meanwhile",
}

app = App()
consignments = App(name="consignments", help="Show consignments, and what the checks found.")
app.add_typer(consignments)


def _newest(cli: Cli) -> list[str]:
    return [each.consignment_id for each in Consignments(cli).listed(None, KNOWN)]


ConsignmentArgument = Annotated[
    str, typer.Argument(help="Id of a consignment.", metavar="ID", autocompletion=known(_newest))
]


_Reference = Annotated[
    str | None, typer.Option("--reference", help="The consignment's reference; default: the directory's name.")
]
_Inside = Annotated[
    bool, typer.Option("--inside", help="List what archives hold, with formats; none of it is accepted as a file.")
]
_Replace = Annotated[
    str | None,
    typer.Option("--replace", metavar="ID", help="Send other contents of files that this consignment has."),
]


@app.command()
def consign(
    cli: Cli,
    directory: Annotated[Path, typer.Argument(help="Directory to send.", metavar="DIR", exists=True, file_okay=False)],
    *,
    type_: Annotated[ConsignmentType, typer.Option("--type", help="What is sent.")] = ConsignmentType.STANDARD,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for the verdicts and show them.")] = False,
    reference: _Reference = None,
    body: Annotated[str, typer.Option("--body", help="The transferring body.")] = "",
    user: Annotated[str, typer.Option("--user", help="Who owns it: the subject of tokens.")] = "local-user",
    inside: _Inside = False,
    new: Annotated[bool, typer.Option("--new", help="Begin anew, whatever was interrupted.")] = False,
    replace: _Replace = None,
) -> None:
    """Hash, register and upload a directory, and start the checks. Interrupted, the same call again goes on."""
    service = Consignments(cli)
    found = walk(directory)
    hashed, unreadable = _hashed(cli, found.files)
    left_out = sorted((*found.left_out, *unreadable), key=lambda each: each.path)
    _tell(cli, left_out, found.hard_links)
    if not hashed:
        raise CommandError(f"{directory} holds no file to send")
    if inside and replace is not None:
        raise CommandError("--inside is for a new consignment: one that is corrected keeps what it was registered with")
    if replace is not None:
        told = _replaced(cli, service, consignment_id_of(replace, "--replace"), hashed)
        _finish(cli, service, {**told, "notSent": told_of(left_out)}, left_out, wait=wait)
        return
    head = _head(directory, type_, reference, body, inside=inside)
    memory = Memory.of(cli.stack, directory, head, user, hashed)
    if new:
        memory.forget()
    consignment_id = _begun(service, memory)
    named = {**head, "consignmentId": consignment_id}
    sent = _sent(cli, service, named, hashed, user)
    note_left_out(service.registrar, named, len(hashed), left_out, user)
    changed = _left_out_later(service, consignment_id, sent.changed)
    if len(changed) == len(hashed):
        raise CommandError("every file has changed while it was sent: send them when nobody writes to them")
    _tell(cli, changed, ())
    left_out = sorted((*left_out, *changed), key=lambda each: each.path)
    started = service.starter.start(service.find(consignment_id))
    memory.forget()
    told = {"consignmentId": consignment_id, "executionArn": started.execution_arn}
    told |= {"files": len(hashed) - len(changed), "uploaded": sent.count}
    told["uploadedBefore"] = told["files"] - sent.count
    told |= {"notSent": told_of(left_out), "hardLinks": [list(paths) for paths in found.hard_links]}
    _finish(cli, service, told, left_out, wait=wait)


def _finish(
    cli: Cli, service: Consignments, told: dict[str, Any], left_out: Sequence[LeftOutFile], *, wait: bool
) -> None:
    """Wait for the verdicts and show them, or say where they will be."""
    consignment_id = told["consignmentId"]
    if wait:
        _wait(cli, service, consignment_id, told["executionArn"])
        _show(cli, service, consignment_id, more=told)
    else:
        hint = f"`waybill consignments show {consignment_id}` shows the verdicts"
        cli.output.show(told, f"{told['files']} files are being checked: {hint}")
    if any(each.kind in FAULTS for each in left_out):
        # Not all that was asked for was done, whatever becomes of the rest.
        raise typer.Exit(1)


@consignments.command()
def show(cli: Cli, consignment_id: ConsignmentArgument) -> None:
    """Show statuses, progress, and the verdict per file. Exit status 1 when the checks found problems or broke."""
    _show(cli, Consignments(cli), consignment_id_of(consignment_id, "ID"), more={})


@consignments.command()
def report(
    cli: Cli,
    consignment_id: ConsignmentArgument,
    output: Annotated[
        Path | None,
        typer.Option("--output", help="Write the page to this file as well.", dir_okay=False, writable=True),
    ] = None,
) -> None:
    """Make a printable HTML report, and keep it in S3."""
    service, consignment_id = Consignments(cli), consignment_id_of(consignment_id, "ID")
    shown, left_out = service.shown(consignment_id), list(service.table.left_out(consignment_id))
    page = report_page(shown, service.files(consignment_id), now(), left_out)
    address = service.result_files.put(f"reports/{consignment_id}.html", page, "text/html; charset=utf-8")
    if output:
        output.write_text(page, "utf-8")
    told = {"consignmentId": consignment_id, "report": address, "files": shown["progress"]["files"]}
    cli.output.show(told, address)


@consignments.command()
def export(
    cli: Cli,
    consignment_id: ConsignmentArgument,
    form: Annotated[ExportFormat, typer.Option("--format", help="The form of the results.")],
    output: Annotated[
        Path | None,
        typer.Option("--output", help="Write to this file instead of printing.", dir_okay=False, writable=True),
    ] = None,
) -> None:
    """Export what was found of every file, for the tools of archives."""
    service, consignment_id = Consignments(cli), consignment_id_of(consignment_id, "ID")
    left_out = list(service.table.left_out(consignment_id))
    text = export_text(form, service.shown(consignment_id), service.files(consignment_id), left_out)
    if output is None:
        cli.output.raw(text)
        return
    output.write_text(text, "utf-8", newline="")
    cli.output.show({"consignmentId": consignment_id, "format": form.value, "output": str(output)}, str(output))


@consignments.command("list")
def list_consignments(
    cli: Cli,
    status: Annotated[ConsignmentStatus | None, typer.Option("--status", help="Only those that stand so.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="At most so many.", metavar="N")] = 50,
) -> None:
    """List consignments, newest first, as they stand."""
    page = consignment_list_view(Consignments(cli).listed(status, limit), None).wire()["consignments"]
    columns = ("Consignment", "Reference", "Body", "Status", "Files", "Registered")
    names = ("consignmentId", "reference", "transferringBody", "status", "files", "createdAt")
    rows = ([each[name] for name in names] for each in page)
    cli.output.show({"consignments": page, "cursor": None}, table(columns, rows))


@consignments.command()
def waive(
    cli: Cli,
    consignment_id: ConsignmentArgument,
    file: Annotated[str, typer.Argument(help="Path or id of the file.", metavar="FILE")],
    status: Annotated[str, typer.Option("--status", help="The verdict that passes: its name or value.")],
    reason: Annotated[str, typer.Option("--reason", help="Why, for everybody who reads of it.")],
) -> None:
    """Make an exception for a file, in the name of the AWS identity: not for a consignment that it has sent."""
    service, consignment_id = Consignments(cli), consignment_id_of(consignment_id, "ID")
    asked = WaiverRequest.parse({"status": status, "reason": reason})
    by = str(cli.client("sts").get_caller_identity()["Arn"])
    file_id = service.file_id(consignment_id, file)
    row = service.waivers.waive(service.standing(consignment_id), file_id, asked.status, asked.reason, by)
    shown = file_view(row, shipped()).wire()
    human = f"{escaped(shown['path'])}: {'accepted' if shown['accepted'] else 'still not accepted'}"
    cli.output.show(shown, human)


@consignments.command()
def manifest(
    cli: Cli,
    consignment_id: ConsignmentArgument,
    folder: Annotated[
        Path, typer.Option("--output", help="New folder for the bag.", metavar="DIR", file_okay=False, writable=True)
    ],
    histories: Annotated[
        bool, typer.Option("--custody", help="With the history of every file: PREMIS, and lines with their proofs.")
    ] = False,
) -> None:
    """Write a BagIt manifest of the accepted files, and where to fetch them, into a bag without its payload."""
    from waybill.cli.consignments.bagging import Holders, write_bag
    from waybill.cli.custody.bagging import history_documents

    service, consignment_id = Consignments(cli), consignment_id_of(consignment_id, "ID")
    holders = Holders(
        cli.stack.output("ConsignmentCleanBucketName"),
        cli.stack.output("ConsignmentUploadBucketName"),
        upload_prefix(service.find(consignment_id).user_id, consignment_id),
    )
    documents = history_documents(cli, consignment_id) if histories else {}
    count = write_bag(folder, service.shown(consignment_id), service.files(consignment_id), holders, documents)
    told = {"consignmentId": consignment_id, "folder": str(folder), "files": count}
    cli.output.show(told, f"{count} accepted files in {folder}/manifest-sha256.txt")


def _replaced(cli: Cli, service: Consignments, consignment_id: str, hashed: list[HashedFile]) -> dict[str, Any]:
    """Register and upload other contents of files of a consignment, and have these checked."""
    consignment = service.standing(consignment_id)
    known = {file.path: file for file in service.table.files(consignment_id)}
    if strange := [file.path for file, _ in hashed if file.path not in known]:
        raise CommandError(f"{escaped(strange[0])} is no file of the consignment: begin a new one")
    changed = [
        (file, sha256)
        for file, sha256 in hashed
        if (known[file.path].size, known[file.path].sha256) != (file.size, sha256)
    ]
    for some in batched(changed, UPLOADS_PER_REQUEST, strict=False):
        asked = [{**described(file, sha256), "fileId": known[file.path].file_id} for file, sha256 in some]
        service.corrector.take(consignment, CorrectionsRequest.parse({"replace": asked}))
    prefix = upload_prefix(consignment.user_id, consignment_id)
    uploads = [Upload(file, sha256, prefix + known[file.path].file_id) for file, sha256 in hashed]
    sending = _uploaded(cli, uploads, prefix)
    if sending.changed:
        raise CommandError(f"{escaped(sending.changed[0].file.path)} has changed while it was sent: send it again")
    if not changed and not sending.count:
        raise CommandError("every file is there already as it is here: nothing is replaced")
    started = service.starter.start(service.find(consignment_id))
    replaced = [file.path for file, _ in changed]
    told = {"consignmentId": consignment_id, "executionArn": started.execution_arn, "replaced": replaced}
    return {**told, "files": len(known), "uploaded": sending.count}


def _begun(service: Consignments, memory: Memory) -> str:
    """Return the consignment that an interrupted call has begun, or a new one's id."""
    earlier = memory.recall()
    consignment = service.table.find(earlier) if earlier else None
    if earlier and (consignment is None or not consignment.started):
        return earlier
    consignment_id = service.registrar.new_id()
    memory.keep(consignment_id)
    return consignment_id


def _tell(cli: Cli, left_out: Sequence[LeftOutFile], hard_links: Sequence[Sequence[str]]) -> None:
    for kind, some in groupby(sorted(left_out, key=lambda each: each.kind), key=lambda each: each.kind):
        named = [escaped(each.path) for each in some]
        more = f", and {len(named) - _NAMED} more" if len(named) > _NAMED else ""
        cli.output.note(f"not sent, {_KINDS[kind]} ({len(named)}): {', '.join(named[:_NAMED])}{more}")
    for paths in hard_links:
        cli.output.note(f"one file by several names, sent for each: {', '.join(map(escaped, paths))}")


def _hashed(cli: Cli, files: tuple[LocalFile, ...]) -> tuple[list[HashedFile], list[LeftOutFile]]:
    """Return the files with their hashes, and those that cannot be read."""
    hashed: list[HashedFile] = []
    unreadable: list[LeftOutFile] = []

    def hash_of(file: LocalFile) -> str | LeftOutFile:
        try:
            return sha256_of(file.location)
        except OSError as error:
            return LeftOutFile(file.path, LeftOut.UNREADABLE, f"it cannot be read: {error.strerror or error}")

    with ThreadPoolExecutor(_THREADS) as pool, cli.output.progress("hashing", total=len(files)) as bar:
        for file, found in zip(files, pool.map(hash_of, files), strict=True):
            if isinstance(found, LeftOutFile):
                unreadable.append(found)
            else:
                hashed.append((file, found))
            bar.advance()
    return hashed, unreadable


def _head(directory: Path, kind: ConsignmentType, reference: str | None, body: str, *, inside: bool) -> dict[str, Any]:
    """Return what a consignment is registered with, beside its files."""
    return {
        "type": kind.value,
        "reference": reference or directory.resolve().name or "consignment",
        "transferringBody": body,
        **({"inside": True} if inside else {}),
    }


def _sent(cli: Cli, service: Consignments, head: dict[str, Any], hashed: list[HashedFile], user: str) -> Sent:
    uploads = list(register(service.registrar, head, hashed, user))
    return _uploaded(cli, uploads, upload_prefix(user, head["consignmentId"]))


def _left_out_later(service: Consignments, consignment_id: str, changed: Sequence[Upload]) -> list[LeftOutFile]:
    """Take files that have changed while they were sent out of the consignment: what arrived is not what was hashed."""
    reason = "it has changed, or is gone, since it was looked at: send it when nobody writes to it"
    for some in batched(changed, LEFT_OUT_PER_REQUEST, strict=False):
        ids = [upload.key.rpartition("/")[2] for upload in some]
        asked = CorrectionsRequest.parse({"leaveOut": ids})
        service.corrector.take(service.find(consignment_id), asked, (LeftOut.CHANGED.value, reason))
    return [LeftOutFile(upload.file.path, LeftOut.CHANGED.value, reason) for upload in changed]


def _uploaded(cli: Cli, uploads: Sequence[Upload], prefix: str) -> Sent:
    """Upload what is not there yet below `prefix`."""
    uploader = Uploader(cli.client("s3"), cli.stack.output("ConsignmentUploadBucketName"))
    with ThreadPoolExecutor(_THREADS) as pool, cli.output.progress("uploading", total=len(uploads)) as bar:
        return uploader.send_all(uploads, uploader.present(prefix), pool, bar.advance)


def _wait(cli: Cli, service: Consignments, consignment_id: str, execution_arn: str) -> None:
    def look() -> tuple[bool, dict[str, Any]]:
        # The execution first: the progress of one that has ended is final.
        running = service.executions.is_running(execution_arn)
        return running, service.shown(consignment_id)["progress"]

    with cli.output.progress("checking") as bar:
        done = 0
        for running, progress in watch(look):
            bar.expect(progress["files"])
            bar.advance(progress["fileFormat"] - done)
            done = progress["fileFormat"]
            if not running:
                return


def _show(cli: Cli, service: Consignments, consignment_id: str, *, more: dict[str, Any]) -> None:
    shown, files = service.shown(consignment_id), list(service.files(consignment_id))
    numbers = Summary.of(files).numbers()
    human = Group(overview(shown, numbers), "", verdicts(files), *archives(files))
    left_out = told_of(list(service.table.left_out(consignment_id)))
    cli.output.show({**more, **shown, "summary": numbers, "notSent": left_out, "files": files}, human)
    # Success is a statement about now: what nobody has checked to its end is none.
    if shown["status"] != ConsignmentStatus.COMPLETED:
        raise typer.Exit(1)
