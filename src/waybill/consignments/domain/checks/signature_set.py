"""Signatures of formats that are newer than those that the identifying program brings: a file of Siegfried's `roy`."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from waybill.consignments.domain.checks.errors import RuleSetInvalidError
from waybill.consignments.domain.checks.models import Examination, Failure
from waybill.consignments.domain.checks.ports import Scanners
from waybill.consignments.domain.checks.self_test import harmless
from waybill.consignments.domain.checks.spool import write_whole

# What every release of PRONOM's signatures has to know, by the samples of the self-test.
_KNOWN = {
    "text.txt": {"x-fmt/111"},
    "table.csv": {"x-fmt/18"},
    "document.pdf": {f"fmt/{number}" for number in (14, 15, 16, 17, 18, 19, 20, 276)},
    "pixel.png": {"fmt/11", "fmt/12", "fmt/13"},
    "archive.zip": {"x-fmt/263"},
}
_SECONDS = 60.0


@dataclass(frozen=True)
class SignatureSet:
    """A signature file: its SHA-256, when it was built, and which signatures it was built from."""

    version: str
    created: str
    binary: str
    container: str
    content: bytes = field(repr=False, compare=False)

    @classmethod
    def proven(cls, content: bytes, scanners: Scanners, folder: Path) -> "SignatureSet":
        """Return the set with that `content`, tried with `scanners` that have it; `folder` takes the samples.

        Raises
        ------
        RuleSetInvalidError
            The program cannot read it, or it does not know formats that every release knows.
        """
        found = scanners.versions()
        for name, wanted in _KNOWN.items():
            sample = folder / name
            sample.write_bytes(harmless()[name])
            extension = name.rpartition(".")[2]
            answer = scanners.examine(Examination(sample, {"identify": _SECONDS}, extension))["identify"]
            puids = set() if isinstance(answer, Failure) else {str(each["puid"]) for each in answer["matches"]}
            if not puids & wanted:
                raise RuleSetInvalidError(f"self-test: the signatures take {name} for {', '.join(sorted(puids))}")
        version = hashlib.sha256(content).hexdigest()
        binary, container = found["binarySignatureFileVersion"], found["containerSignatureFileVersion"]
        return cls(version, found["signaturesCreated"], binary, container, content)

    def write(self, folder: Path) -> Path:
        """Return the file of the set in `folder`, whose name no other set has."""
        return write_whole(folder, f"{self.version}.sig", self.content)

    @classmethod
    def restore(cls, manifest: Mapping[str, Any], content: bytes) -> "SignatureSet":
        """Return a set that was stored; raises `RuleSetInvalidError` where it is not what was stored."""
        try:
            version, created, binary, container = (
                str(manifest[name]) for name in ("version", "created", "binary", "container")
            )
        except KeyError as error:
            raise RuleSetInvalidError("the manifest of the signatures is damaged; update them again") from error
        if hashlib.sha256(content).hexdigest() != version:
            raise RuleSetInvalidError("the signatures are damaged; update them again")
        return cls(version, created, binary, container, content)

    def manifest(self) -> dict[str, str]:
        """Return what is stored beside the file."""
        return {
            "version": self.version,
            "created": self.created,
            "binary": self.binary,
            "container": self.container,
        }
