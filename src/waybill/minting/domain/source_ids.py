"""Source identifiers: how a request writes them, and the key under which the registry keeps them.

`Type[system/value]`, `system/value` (type `Work`), or anything else as it stands (type `Work`, no system). Nothing is
folded or normalised but white space at both ends: case, inner spaces and Unicode forms tell identifiers apart.
"""

import re
import unicodedata

from waybill.minting.errors import InvalidIdentifierError
from waybill.minting.models import SourceId

DEFAULT_TYPE = "Work"
# DynamoDB takes partition keys of 2,048 bytes of UTF-8 (Amazon DynamoDB developer guide, "Quotas").
KEY_LIMIT_BYTES = 2048
# One authority record is one concept, whatever role a document gives it.
_CONCEPTS = frozenset({"Person", "Organisation", "Place", "Agent", "Meeting", "Genre", "Period"})
_TYPE = re.compile(r"\w+")
_TYPED = re.compile(r"(\w+)\[([^/]+)/(.+)\]", re.DOTALL)
_WITH_SYSTEM = re.compile(r"([^/\[\]]+)/(.+)", re.DOTALL)
# What the keys of the registry begin with: of forward items, and of reverse ones.
FORWARD_KEYS, REVERSE_KEYS = "S#", "C#"


def parse_source_id(text: str) -> SourceId:
    """Return the identifier that `text` of a request names, under the type that the registry keeps it by.

    Raises
    ------
    InvalidIdentifierError
        It holds control characters or broken text, or is too long.
    """
    trimmed = text.strip()
    if match := _TYPED.fullmatch(trimmed):
        return source_id(*match.groups())
    if match := _WITH_SYSTEM.fullmatch(trimmed):
        return source_id(DEFAULT_TYPE, *match.groups())
    return source_id(DEFAULT_TYPE, "", trimmed)


def source_id(ontology_type: str, source_system: str, value: str) -> SourceId:
    """Return the identifier of these three, checked; raises as `parse_source_id`."""
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


def check_characters(text: str) -> None:
    """Raise `InvalidIdentifierError` where `text` holds control characters, or what is no Unicode text."""
    categories = {unicodedata.category(char) for char in text}
    if "Cc" in categories:
        raise InvalidIdentifierError("it contains control characters")
    if "Cs" in categories:
        raise InvalidIdentifierError("it contains half a surrogate pair, which is not Unicode text")


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
