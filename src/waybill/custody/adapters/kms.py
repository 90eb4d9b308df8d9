"""The keys of custody in AWS KMS: one that others are derived from, and one that signs the log."""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, override

from botocore.exceptions import BotoCoreError, ClientError

from waybill.core.aws.faults import is_transient, reason_of
from waybill.custody.domain.log_files import Signer
from waybill.custody.domain.sealed_form import Keys
from waybill.custody.domain.signed_heads import VerifierKey
from waybill.custody.errors import CustodyRefusedError, CustodyUnavailableError

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

_PURPOSE = "waybill/custody/1/"
# RFC 8410, section 4: what stands before the 32 bytes of an Ed25519 key.
_ED25519 = base64.b64decode("MCowBQYDK2VwAyEA")


class KmsKeys(Keys):
    """`Keys`, each the HMAC of its purpose under a KMS key, asked for once in this process.

    AWS KMS names the derivation of keys as a use of GenerateMac (AWS KMS API Reference).
    """

    def __init__(self, client: "KMSClient", key_id: str) -> None:
        self._client = client
        self._key_id = key_id
        self._known: dict[str, bytes] = {}

    @override
    def key(self, purpose: str) -> bytes:
        if purpose not in self._known:
            with _translated():
                answer = self._client.generate_mac(
                    KeyId=self._key_id, MacAlgorithm="HMAC_SHA_256", Message=f"{_PURPOSE}{purpose}".encode()
                )
            self._known[purpose] = answer["Mac"]
        return self._known[purpose]


class KmsSigner(Signer):
    """`Signer` with an Ed25519 key of KMS; `name` is the log's."""

    def __init__(self, client: "KMSClient", key_id: str, name: str) -> None:
        self._client = client
        self._key_id = key_id
        self._name = name
        self._key: VerifierKey | None = None

    @override
    def key(self) -> VerifierKey:
        if self._key is None:
            with _translated():
                encoded = self._client.get_public_key(KeyId=self._key_id)["PublicKey"]
            if not encoded.startswith(_ED25519):
                raise CustodyRefusedError("the key of the log is not one of Ed25519")
            self._key = VerifierKey(self._name, encoded.removeprefix(_ED25519))
        return self._key

    @override
    def sign(self, message: bytes) -> bytes:
        with _translated():
            answer = self._client.sign(
                KeyId=self._key_id, Message=message, MessageType="RAW", SigningAlgorithm="ED25519_SHA_512"
            )
        return answer["Signature"]


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        kind = CustodyUnavailableError if is_transient(error) else CustodyRefusedError
        raise kind(f"{reason_of(error)} from KMS") from error
