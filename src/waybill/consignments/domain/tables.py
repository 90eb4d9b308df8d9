"""The tables that verdicts rest on, read from the JSON files in `table_data/`; each has a version.

An entry that is not `active` is kept and has no effect.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

# How the table was made: PRONOM's class of a format, or its name.
_CONTAINER_CLASS = "Aggregate"
_CONTAINER_NAME = re.compile(
    r"archive|compressed|dis[ck] image|executable|package|installer|floppy|flux|supercard", re.IGNORECASE
)


def is_of_refused_class(name: str, format_class: str) -> bool:
    """Return whether a format may be an archive, an image or a program, by its name and by PRONOM's class of it."""
    return _CONTAINER_CLASS in format_class or _CONTAINER_NAME.search(name) is not None


@dataclass(frozen=True)
class PuidTable:
    """Which formats are refused, and which a judgment may have; `disallowed` are pairs of PUID and reason, in order.

    `named` are all PUIDs that somebody has decided on: those refused, those that are not any more, and those kept.
    `scripts` are texts that a double click runs, by their extensions. `packed` are pairs of content and extension:
    formats that their makers compress by gzip.
    """

    version: str
    allowed_for_judgment: frozenset[str]
    disallowed: Sequence[tuple[str, str]]
    named: frozenset[str] = frozenset()
    scripts: Mapping[str, str] = MappingProxyType({})
    packed: frozenset[tuple[str, str]] = frozenset()

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> "PuidTable":
        """Return the active entries of a table."""
        return cls(
            str(document["version"]),
            frozenset(entry["puid"] for entry in document["allowedForJudgment"] if entry["active"]),
            tuple((entry["puid"], entry["reason"]) for entry in document["disallowed"] if entry["active"]),
            frozenset(entry["puid"] for entry in (*document["disallowed"], *document.get("kept", ()))),
            {entry["extension"]: entry["name"] for entry in document.get("scripts", ()) if entry["active"]},
            frozenset(
                (entry["content"], extension)
                for entry in document.get("packed", ())
                if entry["active"]
                for extension in entry["extensions"]
            ),
        )

    @property
    def reasons(self) -> frozenset[str]:
        """Every active reason."""
        return frozenset(reason for _, reason in self.disallowed)

    def is_unnamed_container(self, match: Mapping[str, Any]) -> bool:
        """Return whether a format is of the classes that the table is about, and nobody has decided on it."""
        puid, name = match.get("puid"), match.get("formatName") or ""
        return bool(puid) and puid not in self.named and is_of_refused_class(name, match.get("formatClass") or "")

    def disallowing(self, found: frozenset[str]) -> tuple[str, str] | None:
        """Return the first entry, in the order of the table, whose PUID is among `found`."""
        return next((entry for entry in self.disallowed if entry[0] in found), None)


@dataclass(frozen=True)
class ExtensionOnlyTable:
    """Formats that a name alone can tell: those whose content is text, and those whose extension others have too.

    `shared` are pairs of PUID and extension: formats with a signature have the same extension. `text_extensions` are
    those of formats of text that have signatures.
    """

    text: frozenset[str]
    shared: frozenset[tuple[str, str]]
    text_extensions: frozenset[str] = frozenset()

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> "ExtensionOnlyTable":
        """Return the entries of a table."""
        return cls(
            frozenset(entry["puid"] for entry in document["text"]),
            frozenset((entry["puid"], entry["extension"]) for entry in document["shared"]),
            frozenset(document["textExtensions"]),
        )


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
    extension_only: ExtensionOnlyTable


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
        ExtensionOnlyTable.of(_read("extension_only")),
    )


def excluded_by(name: str) -> str | None:
    """Return the entry by which a file of this name is never sent, None for others.

    Reference, section 3, "File names dropped before upload".
    """
    for entry in _read("excluded_names")["names"]:
        pattern = str(entry["pattern"])
        if re.fullmatch(pattern, name) if entry["type"] == "regex" else pattern == name:
            return pattern
    return None


@cache
def _read(name: str) -> dict[str, Any]:
    text = files(__package__).joinpath("table_data", f"{name}.json").read_text("utf-8")
    document: dict[str, Any] = json.loads(text)
    return document
