"""Redacted files and their originals: `a_R1.docx` is a redacted copy of `a.docx`.

Names are compared in NFC: macOS hands out NFD and Windows NFC, and canonically equivalent text is the same text
(Unicode Standard Annex 15).
"""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

_REDACTED = re.compile(r"^(.+?)(?:_R|_Redacted|_redacted)\d*$", re.DOTALL)

NO_ORIGINAL_FILE = "NoOriginalFile"
AMBIGUOUS_ORIGINAL_FILE = "AmbiguousOriginalFile"
DUPLICATE_FILE_NAME = "DuplicateFileName"


@dataclass(frozen=True, slots=True)
class NamedFile:
    """A file of the consignment, by the path that its sender gave."""

    file_id: str
    path: str

    @property
    def parent(self) -> str:
        """The folder; empty without one."""
        return self._composed.rpartition("/")[0]

    @property
    def name(self) -> str:
        """The name in its folder."""
        return self._composed.rpartition("/")[2]

    @property
    def _composed(self) -> str:
        return unicodedata.normalize("NFC", self.path)

    @property
    def stem(self) -> str:
        """The name up to its last dot, unless that is its first or its last character."""
        dot = self.name.rfind(".")
        return self.name[:dot] if 0 < dot < len(self.name) - 1 else self.name

    @property
    def original_name(self) -> str | None:
        """What the original of this file is called; None when the file is not a redacted one."""
        found = _REDACTED.fullmatch(self.stem)
        return found[1] if found else None


@dataclass(frozen=True, slots=True)
class RedactionPair:
    """A redacted file with its original."""

    original: NamedFile
    redacted: NamedFile


@dataclass(frozen=True, slots=True)
class Unpaired:
    """A redacted file without one, and why."""

    redacted: NamedFile
    cause: str


def match_redactions(files: Iterable[NamedFile]) -> list[RedactionPair | Unpaired]:
    """Return the outcome of every redacted file of a consignment."""
    folders: dict[str, list[NamedFile]] = defaultdict(list)
    for file in files:
        folders[file.parent].append(file)
    return [outcome for folder in folders.values() for outcome in _in_folder(folder)]


def _in_folder(folder: list[NamedFile]) -> list[RedactionPair | Unpaired]:
    redacted = [(file, original) for file in folder if (original := file.original_name) is not None]
    if not redacted:
        return []
    same_stem = Counter(file.stem for file, _ in redacted)
    by_name: dict[str, dict[str, NamedFile]] = defaultdict(dict)
    for file in folder:
        by_name[file.stem][file.file_id] = file
        by_name[file.name][file.file_id] = file
    outcomes: list[RedactionPair | Unpaired] = []
    for file, original in redacted:
        candidates = list(by_name.get(original, {}).values())
        if same_stem[file.stem] > 1:
            outcomes.append(Unpaired(file, DUPLICATE_FILE_NAME))
        elif len(candidates) == 1:
            outcomes.append(RedactionPair(candidates[0], file))
        else:
            outcomes.append(Unpaired(file, AMBIGUOUS_ORIGINAL_FILE if candidates else NO_ORIGINAL_FILE))
    return outcomes
