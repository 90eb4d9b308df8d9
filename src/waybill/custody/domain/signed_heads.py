"""Heads of the log as signed notes (https://c2sp.org/signed-note, https://c2sp.org/tlog-checkpoint), Ed25519."""

import base64
import binascii
import hashlib
from dataclasses import dataclass

from waybill.custody.errors import BadProofError

_ALGORITHM = b"\x01"
_SIGNATURE = "— "
_KEY_BYTES = 32
_LONGEST = 4096


@dataclass(frozen=True)
class Checkpoint:
    """The head of a log: which log, how many entries, and the hash over all of them."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """What is signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


@dataclass(frozen=True)
class VerifierKey:
    """The public key of a log, with the log's name."""

    name: str
    public: bytes

    @property
    def id(self) -> bytes:
        """Four bytes that say in a note by which key it is signed."""
        return hashlib.sha256(self.name.encode() + b"\n" + _ALGORITHM + self.public).digest()[:4]

    @property
    def text(self) -> str:
        """The key as verifiers take it: `name+id+key`."""
        return f"{self.name}+{self.id.hex()}+{base64.b64encode(_ALGORITHM + self.public).decode()}"

    @classmethod
    def parse(cls, text: str) -> "VerifierKey":
        """Return the key of a text.

        Raises
        ------
        BadProofError
            It is no such key.
        """
        name, _, rest = text.strip().partition("+")
        id_, _, encoded = rest.partition("+")
        try:
            raw = base64.b64decode(encoded, validate=True)
        except binascii.Error:
            raise BadProofError("the public key is not base64") from None
        if raw[:1] != _ALGORITHM or len(raw) != 1 + _KEY_BYTES:
            raise BadProofError("the public key is not one of Ed25519")
        key = cls(name, raw[1:])
        if not name or key.id.hex() != id_:
            raise BadProofError("the public key does not have the id that it names")
        return key


def signed_note(checkpoint: Checkpoint, key: VerifierKey, signature: bytes) -> str:
    """Return the note with its signature."""
    return f"{checkpoint.text}\n{_SIGNATURE}{key.name} {base64.b64encode(key.id + signature).decode()}\n"


def opened_note(note: str | bytes, key: VerifierKey) -> Checkpoint:
    """Return the head in a note that is signed by `key`.

    Raises
    ------
    BadProofError
        It is no such note, or not signed by this key.
    """
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        text = note if isinstance(note, str) else note.decode()
    except UnicodeDecodeError:
        raise BadProofError("a head of the log is not text") from None
    said, _, signatures = text.partition("\n\n")
    public = Ed25519PublicKey.from_public_bytes(key.public)
    for line in signatures.splitlines()[:10]:
        name, _, encoded = line.removeprefix(_SIGNATURE).partition(" ")
        try:
            raw = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            continue
        if name != key.name or raw[:4] != key.id:
            continue
        try:
            public.verify(raw[4:], f"{said}\n".encode())
        except InvalidSignature:
            raise BadProofError("a head of the log has a wrong signature") from None
        return _checkpoint(f"{said}\n")
    raise BadProofError("a head of the log is not signed by its key")


def _checkpoint(said: str) -> Checkpoint:
    origin, size, root, *_ = [*said.split("\n"), "", ""]
    try:
        hash_ = base64.b64decode(root, validate=True)
    except binascii.Error:
        hash_ = b""
    # C2SP tlog-checkpoint: decimal digits without leading zeroes.
    if len(said) > _LONGEST or not size.isascii() or not size.isdecimal() or str(int(size)) != size or len(hash_) != 32:
        raise BadProofError("a head of the log is not what heads look like")
    return Checkpoint(origin, int(size), hash_)
