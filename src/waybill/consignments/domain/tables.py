"""The tables that verdicts rest on, read from the JSON files in `table_data/`; each has a version.

An entry that is not `active` is kept and has no effect.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any


@dataclass(frozen=True)
class PuidTable:
    """Which formats are refused, and which a judgment may have; `disallowed` are pairs of PUID and reason, in order."""

    version: str
    allowed_for_judgment: frozenset[str]
    disallowed: Sequence[tuple[str, str]]

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> "PuidTable":
        """Return the active entries of a table."""
        return cls(
            str(document["version"]),
            frozenset(entry["puid"] for entry in document["allowedForJudgment"] if entry["active"]),
            tuple((entry["puid"], entry["reason"]) for entry in document["disallowed"] if entry["active"]),
        )

    @property
    def reasons(self) -> frozenset[str]:
        """Every active reason."""
        return frozenset(reason for _, reason in self.disallowed)

    def disallowing(self, found: frozenset[str]) -> tuple[str, str] | None:
        """Return the first entry, in the order of the table, whose PUID is among `found`."""
        return next((entry for entry in self.disallowed if entry[0] in found), None)


@dataclass(frozen=True)
class Sentence:
    """What the submitter is told; `action` is who can put it right, None where nothing is wrong."""

    sentence: str
    action: str | None


@dataclass(frozen=True)
class Tables:
    """All tables together."""

    puids: PuidTable
    empty_files: frozenset[str]
    empty_files_version: str
    sentences: Mapping[str, Sentence]


@cache
def shipped() -> Tables:
    """Return the tables that ship with Waybill."""
    told, empty = _read("sentences"), _read("empty_files")
    return Tables(
        PuidTable.of(_read("puids")),
        frozenset(entry["sha256"] for entry in empty["files"]),
        empty["version"],
        {
            key: Sentence(entry["sentence"], told["actions"][entry["action"]] if "action" in entry else None)
            for key, entry in told["sentences"].items()
        },
    )


def is_excluded(name: str) -> bool:
    """Return whether a file of this name is never sent (reference, section 3, "File names dropped before upload")."""
    return any(
        re.fullmatch(entry["pattern"], name) is not None if entry["type"] == "regex" else entry["pattern"] == name
        for entry in _read("excluded_names")["names"]
    )


@cache
def _read(name: str) -> dict[str, Any]:
    text = files(__package__).joinpath("table_data", f"{name}.json").read_text("utf-8")
    document: dict[str, Any] = json.loads(text)
    return document
