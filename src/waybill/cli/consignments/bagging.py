"""A BagIt bag of the accepted files: tag files and manifest, the payload to be fetched (RFC 8493, `fetch.txt`)."""

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import bagit

from waybill.cli.errors import CommandError
from waybill.consignments.models import ConsignmentStatus, CopyPlace

_BAGIT_TXT = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
# Names that mean themselves on every system, and need no escaping in a manifest; many readers end a line at
# each of the last three.
_PLAIN = re.compile(r"[^\x00-\x1f\x7f%\\:*?\"<>|\x85\u2028\u2029]+")
_BY_ID = "by-id"
# Windows keeps these for devices, with any extension, in any folder; nor may a name end in a full stop (Microsoft,
# "Naming Files, Paths, and Namespaces").
_RESERVED = re.compile(
    r"(?:con|prn|aux|nul|com[0-9\u00b9\u00b2\u00b3]|lpt[0-9\u00b9\u00b2\u00b3])(?:\..*)?", re.IGNORECASE
)
_LONGEST_NAME_BYTES = 255
# Windows takes 259 characters for a whole path (Microsoft, "Maximum Path Length Limitation"): the folder that the bag
# lies in is a part of it.
_LONGEST_PATH = 240
_NO_DOCUMENTS: Mapping[str, Callable[[Sequence[str]], Iterable[str]]] = {}


@dataclass(frozen=True)
class Holders:
    """What holds the files: the clean bucket those that were copied, the upload bucket all, below `upload_prefix`."""

    clean_bucket: str
    upload_bucket: str
    upload_prefix: str

    def address(self, consignment_id: str, file: Mapping[str, Any]) -> str:
        """Return where an accepted file is to be fetched from: its copy, or the version of the upload that was checked.

        Not every run makes copies (`CopyCheckedFiles`), and a version that is replaced goes in the end.
        """
        if file.get("copiedTo") == CopyPlace.CLEAN:
            return f"s3://{self.clean_bucket}/{consignment_id}/{file['fileId']}"
        version = f"?versionId={quote(file['versionId'], safe='')}" if file.get("versionId") else ""
        return f"s3://{self.upload_bucket}/{quote(self.upload_prefix + file['fileId'])}{version}"


def write_bag(
    folder: Path,
    consignment: Mapping[str, Any],
    checked: Iterable[Mapping[str, Any]],
    holders: Holders,
    documents: Mapping[str, Callable[[Sequence[str]], Iterable[str]]] = _NO_DOCUMENTS,
) -> int:
    """Write the bag's tag files into the new `folder`; return the number of files in the manifest.

    `documents` are further tag files by their names: each is given the ids of the accepted files, and gives its text.

    A file whose path could lead elsewhere, or that not every system can name or tell from another, is in the manifest
    by its id; `file-ids.jsonl` has the path of every file as it was sent.

    Raises
    ------
    CommandError
        The newest checks have not ended, or broke; no file was accepted; or the folder holds something.
    """
    if consignment["status"] == ConsignmentStatus.IN_PROGRESS or "failure" in consignment:
        # What is accepted then is what an earlier run has found.
        raise CommandError(f"the newest checks of consignment {consignment['consignmentId']} have not come to an end")
    accepted = [file for file in checked if file.get("accepted")]
    if not accepted:
        raise CommandError(f"no file of consignment {consignment['consignmentId']} is accepted")
    if folder.exists() and any(folder.iterdir()):
        raise CommandError(f"{folder} is not empty")
    ids = [str(file["fileId"]) for file in accepted]
    # What cannot be written leaves no folder behind.
    more = {name: list(document(ids)) for name, document in documents.items()}
    (folder / "data").mkdir(parents=True, exist_ok=True)
    names = list(zip(payload_names(accepted), accepted, strict=True))
    lines = {
        "bagit.txt": [_BAGIT_TXT],
        "manifest-sha256.txt": [f"{file['checksum']}  {name}\n" for name, file in names],
        "fetch.txt": [
            f"{holders.address(consignment['consignmentId'], file)} {file['objectSize']} {name}\n"
            for name, file in names
        ],
        "file-ids.jsonl": [
            json.dumps({"payload": name, "fileId": file["fileId"], "path": file["path"]}, ensure_ascii=False) + "\n"
            for name, file in names
        ],
    }
    for name, content in {**lines, **more}.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("".join(content), "utf-8", newline="\n")
    bag = bagit.Bag(str(folder))
    bag.info.update(_info(consignment, accepted))
    bag.save()
    return len(accepted)


def payload_names(files: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the path of each file in the bag, no two of which are one on any system."""
    paths = [_folded(file["path"]) for file in files]
    taken = Counter(paths)
    # A path that is a folder to another file can be no file.
    taken.update({folder for path in paths for folder in _folders(path)})
    return [
        payload_name(file) if taken[path] == 1 else _name_by_id(file) for file, path in zip(files, paths, strict=True)
    ]


def payload_name(file: Mapping[str, Any]) -> str:
    """Return the path in the bag of a file that is there alone."""
    path = str(file["path"])
    parts = path.split("/")
    plain = parts[0].casefold() != _BY_ID and all(map(_is_plain, parts))
    short = len(path.encode("utf-16-le")) // 2 <= _LONGEST_PATH
    return f"data/{path}" if plain and short else _name_by_id(file)


def _name_by_id(file: Mapping[str, Any]) -> str:
    return f"data/{_BY_ID}/{file['fileId']}"


def _is_plain(part: str) -> bool:
    fits = part not in {"", ".", ".."} and part == part.strip() and len(part.encode()) <= _LONGEST_NAME_BYTES
    return fits and _PLAIN.fullmatch(part) is not None and not part.endswith(".") and not _RESERVED.fullmatch(part)


def _folded(path: str) -> str:
    """Return what paths have in common that some systems take for one.

    Case and accents (RFC 8493, section 6), and characters that cannot be seen (Apple TN1150, "Case-Insensitive String
    Comparison Algorithm": they are ignored).
    """
    seen = "".join(each for each in path if unicodedata.category(each) != "Cf")
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", seen).casefold())


def _folders(path: str) -> set[str]:
    parts = path.split("/")
    return {"/".join(parts[:count]) for count in range(1, len(parts))}


def _info(consignment: Mapping[str, Any], accepted: list[Mapping[str, Any]]) -> dict[str, str]:
    return {
        "External-Identifier": consignment["consignmentId"],
        "Internal-Sender-Identifier": consignment["reference"],
        "Source-Organization": consignment["transferringBody"] or "Unknown",
        "Payload-Oxum": f"{sum(int(file['objectSize']) for file in accepted)}.{len(accepted)}",
        "Bagging-Date": consignment["createdAt"][:10],
    }
