"""Ids and commitments: what happened gets the same id however often it is told, and no name is sealed."""

import base64
import hashlib
import hmac
import secrets
from typing import TYPE_CHECKING

from waybill.core.executions import stable_json
from waybill.custody.models import VERSION, FileState, Happening, Place

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import JsonValue

_ID_DIGITS = 32
# 16 bytes in base32, without its padding.
_SUBJECT_LENGTH = 26
FILE, IDENTIFIER, TRAIL = "F#", "I#", "T#"


def new_subject_pk() -> str:
    """Return where the history of a file is kept that has none yet."""
    return FILE + base64.b32encode(secrets.token_bytes(16)).decode()[:_SUBJECT_LENGTH].lower()


def new_salt() -> str:
    """Return what nobody can guess."""
    return secrets.token_hex(16)


def place_hash(place: Place, key: bytes) -> str:
    """Return what stands for a place: without the key nobody can try names until one fits."""
    text = f"{place.bucket}\0{place.key}".encode(errors="surrogatepass")
    return hmac.digest(key, text, "sha256").hex()[:_ID_DIGITS]


def pseudonym(person: str, key: bytes) -> str:
    """Return what stands for a person in the log."""
    return "person:" + hmac.digest(key, person.encode(errors="surrogatepass"), "sha256").hex()[:16]


def commitment(state: FileState, salt: str) -> str:
    """Return the SHA-256 that stands for a file's state; without the salt it opens to nothing."""
    said: dict[str, JsonValue] = {
        "bucket": state.place.bucket,
        "key": state.place.key,
        "versionId": state.version_id,
        "sha256": state.sha256,
        "size": state.size,
    }
    return _digest(salt, stable_json(said))


def event_id(happening: Happening, salt: str) -> str:
    """Return the id of what happened to the subject with this salt."""
    said: Mapping[str, JsonValue] = {
        "v": VERSION,
        "workflow": happening.workflow,
        "kind": happening.kind,
        "parts": list(happening.parts),
    }
    return _digest(salt, stable_json(said))[:_ID_DIGITS]


def trail_id(trail: str, number: int) -> str:
    """Return the id of an entry of the subject access trail."""
    return _digest("", stable_json({"v": VERSION, "trail": trail, "number": number}))[:_ID_DIGITS]


def event_sort_key(at: str, id_: str) -> str:
    """Return the sort key of an event: oldest first."""
    return f"E#{at}#{id_[:16]}"


def _digest(salt: str, text: str) -> str:
    return hashlib.sha256(salt.encode() + text.encode(errors="surrogatepass")).hexdigest()
