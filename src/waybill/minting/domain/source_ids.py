"""Source identifiers: how a request writes them, and the key under which the registry keeps them.

`Type[system/value]`, `system/value` (type `Work`), or anything else as it stands (type `Work`, no system). Nothing is
folded or normalised but white space at both ends. What nobody means to type, and nobody can see, must not tell
identifiers apart for ever: `examine` names the fault, and only identifiers without one are minted. Those that the
registry has from before keep their canonical IDs.
"""

import json
import re
import unicodedata
from dataclasses import dataclass

from waybill.core.text import is_ignorable
from waybill.minting.errors import InvalidIdentifierError
from waybill.minting.models import SourceId

DEFAULT_TYPE = "Work"
# DynamoDB takes partition keys of 2,048 bytes of UTF-8 (Amazon DynamoDB developer guide, "Quotas").
KEY_LIMIT_BYTES = 2048
# What a request entry that is no string is refused with.
NO_STRING = "it must be a string"
# One authority record is one concept, whatever role a document gives it.
_CONCEPTS = frozenset({"Person", "Organisation", "Place", "Agent", "Meeting", "Genre", "Period"})
_TYPE = re.compile(r"\w+")
_TYPED = re.compile(r"(\w+)\[([^/]+)/(.+)\]", re.DOTALL)
_WITH_SYSTEM = re.compile(r"([^/\[\]]+)/(.+)", re.DOTALL)
_EXAMPLE = "Type[system/value]"
_FORM = f"a typed identifier is {_EXAMPLE}"
# What the keys of the registry begin with: of forward items, of reverse ones, and of what there is of an ID's life.
FORWARD_KEYS, REVERSE_KEYS = "S#", "C#"
RESERVATION_KEYS, EVENT_KEYS, KEY_KEYS, DOCUMENT_KEYS = "R#", "L#", "K#", "D#"
# Unicode Standard, 23.2 and 23.8: format characters, separators of lines and paragraphs. UTS #39, 3.1 and RFC 8264,
# 9.13 keep them out of identifiers. U+FEFF is one of them (category Cf).
_INVISIBLE = frozenset({"Cf", "Zl", "Zp"})
# White space that means nothing at the ends of a text; separators of lines and paragraphs are refused everywhere.
_WHITE_SPACE = "".join(
    char for char in map(chr, range(0x3001)) if char.isspace() and unicodedata.category(char) not in _INVISIBLE
)
_SHOWN_CHARACTERS = 100
# Types that requests and documents name; one in other letters, or with other brackets, is a typing error.
_KNOWN_TYPES = _CONCEPTS | {DEFAULT_TYPE, "Concept", "Item", "Image"}
_NEARLY_TYPED = re.compile(
    rf"({'|'.join(sorted(_KNOWN_TYPES))})\s*[\[({{<\uff3b\uff08\u3010]([^/]+)/(.+)[\])}}>\uff3d\uff09\u3011]",
    re.DOTALL | re.IGNORECASE,
)
# What tables of identifiers have in their first line: names of the fields of this interface, however they are written.
_HEADINGS = frozenset({"sourceidentifier", "sourceid", "canonicalid", "predecessor", "identifier", "id"})
_BETWEEN_CELLS = re.compile(r"[,;\t|]")
# ECMA-376, part 1, 18.17.3: what a cell shows in place of a value that it cannot have.
_CELL_ERRORS = frozenset({"#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!"})
# How a spreadsheet shows a number of more than eleven digits (format "General"): the others are gone.
_ROUNDED = re.compile(r"\d(\.\d+)?E\+\d\d+")


@dataclass(frozen=True, slots=True)
class ExaminedId:
    """The identifier that a text names, and why it may not be minted (None: it may)."""

    source: SourceId
    fault: str | None = None


def trimmed(text: str) -> str:
    """Return `text` without the white space at its ends."""
    return text.strip(_WHITE_SPACE)


def parse_source_id(text: str) -> SourceId:
    """Return the identifier that `text` of a request names, under the type that the registry keeps it by.

    Raises
    ------
    InvalidIdentifierError
        It may not be minted; the message says why.
    """
    examined = examine(text)
    if examined.fault:
        raise InvalidIdentifierError(examined.fault)
    return examined.source


def examine(text: str) -> ExaminedId:
    """Return the identifier that `text` of a request names, with its fault: the registry may have it from before.

    Raises
    ------
    InvalidIdentifierError
        The registry can never have had it: control characters, broken text, too long.
    """
    own = trimmed(text)
    if match := _TYPED.fullmatch(own):
        source = _kept(*match.groups())
    elif match := _WITH_SYSTEM.fullmatch(own):
        source = _kept(DEFAULT_TYPE, *match.groups())
    else:
        source = _kept(DEFAULT_TYPE, "", own)
    fault = _character_fault(own) or _table_fault(own) or _form_fault(own)
    return ExaminedId(source, fault and f"{fault}{_suggestion(own)}")


def examine_parts(ontology_type: str, source_system: str, value: str) -> ExaminedId:
    """Return the identifier of these three, as documents write it; raises as `examine`."""
    source = _kept(ontology_type, source_system, value)
    fault = _character_fault(ontology_type, source_system, value) or _part_fault(ontology_type, source_system, value)
    return ExaminedId(source, fault)


def check_characters(text: str) -> None:
    """Raise `InvalidIdentifierError` where `text` holds control characters, or what is no Unicode text."""
    if text.isprintable():
        # Nothing of the categories Cc and Cs is (Python, `str.isprintable`).
        return
    categories = {unicodedata.category(char) for char in text}
    if "Cc" in categories:
        raise InvalidIdentifierError("it contains control characters")
    if "Cs" in categories:
        raise InvalidIdentifierError("it contains half a surrogate pair, which is not Unicode text")


def _kept(ontology_type: str, source_system: str, value: str) -> SourceId:
    kept_type = "Concept" if ontology_type in _CONCEPTS else ontology_type
    source = SourceId(kept_type, source_system, value)
    check_characters(f"{ontology_type}{source_system}{value}")
    if not value or not _TYPE.fullmatch(ontology_type):
        raise InvalidIdentifierError("it has no value, or a type that is no name")
    if "/" in source_system:
        raise InvalidIdentifierError("its system contains a slash")
    if len(key_of(source).encode()) > KEY_LIMIT_BYTES:
        raise InvalidIdentifierError(f"its key is over {KEY_LIMIT_BYTES} bytes of UTF-8")
    return source


def _character_fault(*parts: str) -> str | None:
    """Return what is wrong with the characters; repeats none of them, since reasons go into tables, mails and logs."""
    for part in parts:
        if part.isascii():
            continue
        for position, char in enumerate(part, start=1):
            if unicodedata.category(char) in _INVISIBLE or is_ignorable(char):
                name = unicodedata.name(char, "no name").lower()
                return f"it contains the invisible character U+{ord(char):04X} ({name}), at position {position}"
        if not unicodedata.is_normalized("NFC", part):
            normal = json.dumps(unicodedata.normalize("NFC", part)[:_SHOWN_CHARACTERS])
            return f"it is not in Unicode normal form C (NFC); in that form it is {normal}"
    return None


def _table_fault(text: str) -> str | None:
    """Return what shows that the text comes from a table and is none of its identifiers."""
    if columns_headed_by(text):
        return "it is the heading of a table"
    if text.startswith("#") and text.upper() in _CELL_ERRORS:
        return "it is what a spreadsheet shows in place of a value"
    if "E+" in text and _ROUNDED.fullmatch(text):
        return "it is a number that a spreadsheet has rounded"
    return None


def columns_headed_by(text: str) -> int:
    """Return how many columns of identifiers a line is the heading of; 0 for one that is none."""
    cells = _BETWEEN_CELLS.split(text)
    return len(cells) if text[-1:].isalpha() and all(_heading(cell) in _HEADINGS for cell in cells) else 0


def _heading(cell: str) -> str:
    return re.sub(r"[\W_]", "", cell).lower().removesuffix("s")


def _suggestion(text: str) -> str:
    """Return what was probably meant, as a clause for a reason; nothing where no near form is without a fault."""
    seen = "".join(char for char in text if unicodedata.category(char) not in _INVISIBLE and not is_ignorable(char))
    near = re.sub(r"\s*([\[\]/])\s*", r"\1", unicodedata.normalize("NFC", seen))
    closed = f"{near}]" if near.count("[") > near.count("]") else near
    for meant in (near, closed, _with_known_type(near)):
        faults = (_character_fault(meant), _table_fault(meant), _form_fault(meant))
        if 0 < len(meant) <= _SHOWN_CHARACTERS and meant != text and not any(faults):
            return f"; was {json.dumps(meant)} meant?"
    return ""


def _with_known_type(text: str) -> str:
    match = _NEARLY_TYPED.fullmatch(text)
    if not match:
        return ""
    written, system, value = match.groups()
    return next((f"{known}[{system}/{value}]" for known in _KNOWN_TYPES if known.lower() == written.lower()), "")


def _form_fault(text: str) -> str | None:
    """Return what is wrong with the form. A bracket before the first slash, or without one, announces a typed one."""
    head = text.partition("/")[0]
    if ("[" in head or "]" in head) and (fault := _typed_fault(text)):
        return fault
    nearly = not text[-1:].isalnum() and text.partition("[")[0] not in _KNOWN_TYPES
    if nearly and _with_known_type(text) not in ("", text):
        return f"it is nearly a typed identifier, which is {_EXAMPLE}"
    if "[" in head:
        return None
    if "/" in text:
        system, _, value = text.partition("/")
        return _part_fault(DEFAULT_TYPE, system, value, system_needed=True)
    return None


def _typed_fault(text: str) -> str | None:
    ontology_type, opening, rest = text.partition("[")
    inside, closing, after = rest.rpartition("]")
    if not opening or "]" in ontology_type:
        return f"it has a closing bracket without an opening one; {_FORM}"
    if not closing:
        return f"its closing bracket is missing; {_FORM}"
    if after:
        return f"it goes on after its closing bracket; {_FORM}"
    system, slash, value = inside.partition("/")
    if not slash:
        return f"it has no slash between system and value; {_FORM}"
    return _part_fault(ontology_type, system, value, system_needed=True)


def _part_fault(ontology_type: str, system: str, value: str, *, system_needed: bool = False) -> str | None:
    for name, part in (("type", ontology_type), ("system", system), ("value", value)):
        if not part and (name != "system" or system_needed):
            return f"its {name} is empty"
        if part != trimmed(part):
            return f"its {name} has white space at an end"
    if not _TYPE.fullmatch(ontology_type):
        return "its type is not a name of letters, digits and underscores"
    if "[" in system or "]" in system:
        return "its system contains a bracket"
    return None


def key_of(source: SourceId) -> str:
    """Return the registry key; different identifiers have different keys."""
    parts = (source.ontology_type, source.source_system, source.source_id)
    return FORWARD_KEYS + "#".join(part.replace("%", "%25").replace("#", "%23") for part in parts)


def source_of_key(key: str) -> SourceId:
    """Return the identifier of a registry key; `ValueError` when it is none."""
    parts = key.removeprefix(FORWARD_KEYS).split("#")
    if not key.startswith(FORWARD_KEYS) or len(parts) != 3:
        raise ValueError(f"{key} is not the key of a source identifier")
    return SourceId(*(_decoded(part) for part in parts))


def _decoded(part: str) -> str:
    # Only what `key_of` encodes: an identifier may hold other percent signs, each as %25.
    return part.replace("%23", "#").replace("%25", "%") if "%" in part else part
