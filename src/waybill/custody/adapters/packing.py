"""How events are kept in the table: an event with a copy fits into the 1,024 bytes that one write unit takes.

Ids, hashes and digests are kept as bytes, and the sealed text compressed with a dictionary of what such texts have in
common. What somebody has put there that is none of this is shown as it looks, for verification to name.
"""

import zlib
from collections.abc import Iterable
from typing import SupportsBytes, cast

from boto3.dynamodb.types import Binary

from waybill.core.aws.dynamodb import Item
from waybill.custody.domain.sealed_form import MOST_BYTES
from waybill.custody.errors import BadProofError
from waybill.custody.models import StateReference

# Which dictionary a text is compressed with. Nothing of a dictionary that was ever used may change: another one gets a
# number of its own, and this one stays.
_FIRST = b"\x01"
# The commonest last, where it costs the fewest bits (zlib manual, deflateSetDictionary).
_DICTIONARIES = {
    _FIRST: (
        b'"result":"EQUAL","way":"STATED","proof":"CHECKSUM","difference":"'
        b'"canonicalId":"evidence":"erased":"names""stated":"size and SHA-256 are what the sender has told"'
        b'"fromEarlierJob":false,"status":"SCANNED""FINDINGS""PARTIAL""value":"Success""rule":"puids":["fmt/'
        b'"softwareVersion":"engine":"ClamAV""YARA""identifier assignment""metadata modification""policy assignment"'
        b'"creation""dissemination""deletion""quarantine""accession""validation""forensic feature analysis"'
        b'"virus check""format identification""message digest calculation""ingestion start""fixity check"'
        b'"person:person:","run":"","software":"waybill.custody""waybill.subject-access""waybill.minting"'
        b'"waybill.scanning""waybill.consignments""workflow":"custody""workflow":"subject access""workflow":"minting"'
        b'"workflow":"scanning""workflow":"consignments""outcome":"warning""outcome":"failure"'
        b'{"entryId":"","hash":"","number":,"recordedAt":"","trail":"SAR#AUDIT#","v":1}'
        b'"code":"SKIPPED_IDENTICAL""TAGS_COPIED""REMOVED","strategy":"MULTIPART","verification":"'
        b"0123456789abcdef2026-11-29T12:00:00.000Z"
        b'{"agent":{"run":"","software":"waybill.replication"},"at":"2026-1","detail":{"attempts":1,"code":"COPIED",'
        b'"strategy":"COPY","verification":"CHECKSUM"},"eventId":"","object":"","outcome":"success","previous":null,'
        b'"previous":"","recordedAt":"2026-1","recordedFrom":"record","recordedFrom":"stream","related":[],'
        b'"related":["","subject":"F#","type":"replication","v":1,"workflow":"replication"}'
    )
}
# Of a slip: thousands of leaves at most, each in some hundred bytes.
_MOST_LINES = 4_000_000
_HEX = frozenset("0123456789abcdef")


def packed_text(text: str) -> bytes:
    """Return a sealed text as it is kept."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15, zdict=_DICTIONARIES[_FIRST])
    return _FIRST + packer.compress(text.encode()) + packer.flush()


def unpacked_text(kept: object) -> str:
    """Return a sealed text of what is kept, of a text itself or of what somebody has put there too."""
    if isinstance(kept, str):
        return kept
    packed = packed_bytes(kept) or b""
    dictionary = _DICTIONARIES.get(packed[:1])
    if dictionary is None:
        return repr(kept)
    unpacker = zlib.decompressobj(-15, zdict=dictionary)
    try:
        text = unpacker.decompress(packed[1:], MOST_BYTES + 1).decode()
    except (zlib.error, UnicodeDecodeError):
        return repr(kept)
    return text if unpacker.eof else repr(kept)


def packed_lines(lines: Iterable[str]) -> bytes:
    """Return lines as they are kept."""
    return zlib.compress("\n".join(lines).encode(errors="surrogatepass"), 9)


def unpacked_lines(kept: object) -> list[str]:
    """Return lines of what is kept, or of a list of them, as slips from before have it.

    Raises
    ------
    BadProofError
        Somebody has put something else there.
    """
    if isinstance(kept, list):
        return [str(line) for line in kept]
    unpacker = zlib.decompressobj()
    try:
        text = unpacker.decompress(packed_bytes(kept) or b"", _MOST_LINES)
        if unpacker.eof:
            return text.decode(errors="surrogatepass").split("\n")
    except (zlib.error, UnicodeDecodeError):
        pass
    raise BadProofError("a slip of the table was written over, and cannot be read")


def packed_hex(text: str) -> bytes | str:
    """Return the bytes that a text names in hexadecimal; another text as it is."""
    return bytes.fromhex(text) if text and len(text) % 2 == 0 and _HEX.issuperset(text) else text


def unpacked_hex(kept: object) -> str:
    """Return the text of what `packed_hex` has made, and of what somebody has put in its place how it looks."""
    if (packed := packed_bytes(kept)) is not None:
        return packed.hex()
    return kept if isinstance(kept, str) else repr(kept)


def packed_bytes(kept: object) -> bytes | None:
    """Return what is kept as bytes; None of anything else."""
    if isinstance(kept, Binary):
        return bytes(cast("SupportsBytes", kept))  # its stubs do not know
    return bytes(kept) if isinstance(kept, bytes | bytearray) else None


def packed_state(state: StateReference) -> list[object]:
    """Return what stands beside an event of one file: place, commitment, version, digest, size."""
    sha256 = None if state.sha256 is None else packed_hex(state.sha256)
    return [packed_hex(state.place), packed_hex(state.commitment), state.version_id, sha256, state.size]


def unpacked_states(kept: object) -> tuple[StateReference, ...]:
    """Return what stands beside an event, as far as it can be read; events from before have each part by its name."""
    if not isinstance(kept, list):
        return ()
    found = (_named_state(state) if isinstance(state, dict) else _listed_state(state) for state in kept)
    return tuple(state for state in found if state is not None)


def _listed_state(kept: object) -> StateReference | None:
    if not isinstance(kept, list) or len(kept) != len(("place", "commitment", "version", "digest", "size")):
        return None
    place, commitment, version_id, sha256, size = kept
    return _state(place, commitment, version_id, sha256, size)


def _named_state(kept: Item) -> StateReference:
    names = ("place", "commitment", "versionId", "sha256", "size")
    return _state(*(kept.get(name) for name in names))


def _state(place: object, commitment: object, version_id: object, sha256: object, size: object) -> StateReference:
    return StateReference(
        unpacked_hex(place),
        unpacked_hex(commitment),
        None if version_id is None else version_id if isinstance(version_id, str) else repr(version_id),
        None if sha256 is None else unpacked_hex(sha256),
        size if isinstance(size, int) else None,
    )
