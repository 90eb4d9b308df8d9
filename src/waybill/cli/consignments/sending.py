"""Registering and uploading the files of a directory; an interrupted upload goes on where it stopped."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import batched
from pathlib import Path
from typing import Any

import typer

from waybill.cli.adapters.uploads import Upload
from waybill.cli.deployment import Stack
from waybill.cli.walking import LocalFile, told
from waybill.consignments.domain.registration import Registrar
from waybill.consignments.domain.requests import FILES_PER_PAGE, ConsignmentRequest
from waybill.consignments.models import LeftOutFile

type HashedFile = tuple[LocalFile, str]


@dataclass(frozen=True)
class Memory:
    """Which consignment was begun for a directory, from one call of the program to the next.

    `identity` is everything that makes it that consignment: a directory that has changed begins another one.
    """

    identity: str

    @classmethod
    def of(
        cls, stack: Stack, directory: Path, head: Mapping[str, Any], user: str, hashed: Sequence[HashedFile]
    ) -> "Memory":
        """Return the memory for these files of `directory`, sent by `user` to `stack`."""
        place = [stack.name, stack.region, stack.endpoint, str(directory.resolve()), user]
        content = [[file.path, sha256] for file, sha256 in hashed]
        document = json.dumps([place, sorted(head.items()), content])
        return cls(hashlib.sha256(document.encode()).hexdigest())

    @property
    def _file(self) -> Path:
        return Path(typer.get_app_dir("waybill")) / "consignments" / f"{self.identity[:32]}.json"

    def recall(self) -> str | None:
        """Return the id of the consignment that was begun."""
        try:
            return str(json.loads(self._file.read_text("utf-8"))["consignmentId"])
        except (OSError, ValueError, KeyError):
            return None

    def keep(self, consignment_id: str) -> None:
        """Remember it."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        self._file.write_text(json.dumps({"consignmentId": consignment_id}), "utf-8")

    def forget(self) -> None:
        """Let the next call begin another one."""
        self._file.unlink(missing_ok=True)


def note_left_out(
    registrar: Registrar, head: dict[str, Any], total: int, left_out: Sequence[LeftOutFile], user: str
) -> None:
    """Register what is not sent beside `total` files, in pages of 1,000."""
    for page in batched(left_out, FILES_PER_PAGE, strict=False):
        request = ConsignmentRequest.parse({**head, "totalFiles": total, "files": [], "notSent": told(page)})
        registrar.take(request, user)


def described(file: LocalFile, sha256: str) -> dict[str, Any]:
    """Return a file as it is registered."""
    return {"path": file.path, "size": file.size, "sha256": sha256, "lastModified": file.last_modified}


def register(registrar: Registrar, head: dict[str, Any], hashed: Sequence[HashedFile], user: str) -> Iterator[Upload]:
    """Register the files in pages of 1,000; yield where each goes, when its page is stored. `head` names the rest."""
    for page in batched(hashed, FILES_PER_PAGE, strict=False):
        files = [described(file, sha256) for file, sha256 in page]
        request = ConsignmentRequest.parse({**head, "totalFiles": len(hashed), "files": files})
        keys = {file["path"]: file["uploadKey"] for file in registrar.take(request, user)["files"]}
        yield from (Upload(file, sha256, keys[file.path]) for file, sha256 in page)
