"""The design that checks were made with before: three functions, each reading the file for itself; FIDO identifies."""

import hashlib
import tempfile
from collections.abc import Iterable
from pathlib import Path

import yara_x
from fido.fido import Fido

from benchmarks.consignments.disk import DiskObjects
from waybill.consignments.adapters.rule_sets import shipped
from waybill.consignments.domain.checks.models import FileRecord
from waybill.consignments.domain.checks.rule_set import RuleSet


class ThreeReads:
    """Scans, hashes and identifies, with a copy for each."""

    def __init__(self, folder: Path, rules: RuleSet | None = None) -> None:
        chosen = rules or shipped()
        self._folder = folder
        with chosen.write(folder).open("rb") as file:
            self._rules = yara_x.Rules.deserialize_from(file)
        self._scanner = yara_x.Scanner(self._rules)
        self._matches: list[str] = []
        # Its default asks for a file of formats that the package does not have.
        files = ["formats-v109.xml", "format_extensions.xml"]
        self._fido = Fido(quiet=True, handle_matches=self._matched, format_files=files)

    def check(self, objects: DiskObjects, records: Iterable[FileRecord]) -> list[tuple[list[str], str, list[str]]]:
        """Return rules that match, checksum, and PUIDs of each file."""
        return [
            (self._antivirus(objects, one), self._checksum(objects, one), self._format(objects, one)) for one in records
        ]

    def _matched(self, _name: str, matches: list[tuple[object, str]], *_: object) -> None:
        self._matches = [str(self._fido.get_puid(match[0])) for match in matches]

    def _antivirus(self, objects: DiskObjects, record: FileRecord) -> list[str]:
        with tempfile.NamedTemporaryFile(dir=self._folder) as copy:
            copy.write(_content(objects, record))
            copy.flush()
            return [rule.identifier for rule in self._scanner.scan_file(copy.name).matching_rules]

    def _checksum(self, objects: DiskObjects, record: FileRecord) -> str:
        return hashlib.sha256(_content(objects, record)).hexdigest()

    def _format(self, objects: DiskObjects, record: FileRecord) -> list[str]:
        with tempfile.NamedTemporaryFile(dir=self._folder, suffix=f".{record.extension}") as copy:
            copy.write(_content(objects, record))
            copy.flush()
            self._matches = []
            self._fido.identify_file(copy.name)
            return self._matches


def _content(objects: DiskObjects, record: FileRecord) -> bytes:
    opened = objects.open(record)
    try:
        return opened.read(-1)
    finally:
        opened.close()
