"""`waybill upload`: files of this machine into the source bucket, without another program."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

from waybill.cli.adapters.uploads import UPLOAD_FAULTS, send_file
from waybill.cli.context import Cli
from waybill.cli.errors import CommandError
from waybill.cli.replication.addresses import parse_uri, uri_of
from waybill.cli.walking import FAULTS, LeftOut, told, walk
from waybill.consignments.models import LeftOutFile
from waybill.core.aws.faults import AWS_FAULTS, reason_of
from waybill.core.text import escaped
from waybill.replication.models import FileId


@dataclass(frozen=True)
class _Upload:
    """A file, what it was called by, and its key."""

    location: Path
    path: str
    key: str


def upload(cli: Cli, paths: Sequence[Path], to: str | None) -> None:
    """Upload what is at `paths` below the address `to`, and tell the addresses; exit status 1 when something is not."""
    place = parse_uri(to) if to else FileId(cli.stack.output("SourceBucketName"), "")
    bucket, prefix = place.source_bucket, place.source_key.rstrip("/")
    left_out: list[LeftOutFile] = []
    uploads = list(_uploads(paths, f"{prefix}/" if prefix else "", left_out))
    _refuse_twice(uploads)
    s3 = cli.client("s3")
    _reach(cli, bucket)
    sent: list[dict[str, Any]] = []
    with cli.output.progress("uploading", total=len(uploads)) as bar:
        for each in uploads:
            try:
                size = send_file(s3, each.location, bucket, each.key)
            except UPLOAD_FAULTS as error:
                left_out.append(LeftOutFile(each.path, LeftOut.UNREADABLE, f"it was not sent: {error}"))
            else:
                address = uri_of(FileId(bucket, each.key))
                sent.append({"path": each.path, "address": address, "bytes": size})
            bar.advance()
    for missed in left_out:
        cli.output.note(f"not sent: {escaped(missed.path)}: {escaped(missed.reason)}")
    human = "\n".join(escaped(str(each["address"])) for each in sent) or "nothing was sent"
    cli.output.show({"uploaded": sent, "notSent": told(left_out)}, human)
    if any(missed.kind in FAULTS for missed in left_out):
        raise typer.Exit(1)


def _uploads(paths: Sequence[Path], prefix: str, left_out: list[LeftOutFile]) -> Iterator[_Upload]:
    for path in paths:
        name = path.resolve().name if path.name in {"", ".."} else path.name
        if path.is_dir():
            found = walk(path)
            for each in found.left_out:
                left_out.append(LeftOutFile(f"{path}/{each.path}", each.kind, each.reason))
            for file in found.files:
                yield _Upload(file.location, str(file.location), f"{prefix}{name}/{file.path}")
        elif not path.is_file():
            raise typer.BadParameter(f"{escaped(str(path))} is no ordinary file")
        else:
            yield _Upload(path, str(path), f"{prefix}{name}")


def _refuse_twice(uploads: Sequence[_Upload]) -> None:
    """Refuse files that would lie on top of each other."""
    seen: dict[str, str] = {}
    for each in uploads:
        if (other := seen.setdefault(each.key, each.path)) != each.path:
            raise typer.BadParameter(f"{escaped(other)} and {escaped(each.path)} would have the same key")


def _reach(cli: Cli, bucket: str) -> None:
    try:
        cli.client("s3").head_bucket(Bucket=bucket)
    except AWS_FAULTS as error:
        code = reason_of(error)
        reason = "there is no such bucket" if code in {"404", "NoSuchBucket"} else f"it cannot be reached ({code})"
        raise CommandError(f"nothing was sent to the bucket {escaped(bucket)}: {reason}") from error
