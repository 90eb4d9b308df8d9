"""The keys of custody, as KMS answers."""

from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.fakes.wire import Wire
from waybill.core.aws.clients import client
from waybill.custody.adapters.kms import KmsKeys, KmsSigner
from waybill.custody.domain.signed_heads import Checkpoint, opened_note, signed_note
from waybill.custody.errors import CustodyRefusedError, CustodyUnavailableError

PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
HEAD = Checkpoint("waybill/log", 3, bytes(32))


@pytest.fixture
def kms() -> Any:
    return boto3.client("kms", region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b")


def test_a_key_is_derived_once_and_another_purpose_has_another(wire: Wire) -> None:
    kms: Any = client("kms")
    made = kms.create_key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")["KeyMetadata"]["Arn"]
    keys = KmsKeys(kms, made)
    wire.clear()
    first = keys.key("2026-11-29")
    assert keys.key("2026-11-29") == first == KmsKeys(kms, made).key("2026-11-29")
    assert len(first) == 32
    assert keys.key("2026-11-30") != first


def test_a_head_that_kms_has_signed_is_opened_with_its_public_key(kms: Any) -> None:
    # AWS KMS API Reference, GetPublicKey: DER-encoded X.509 SubjectPublicKeyInfo.
    encoded = PRIVATE.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    signature = PRIVATE.sign(HEAD.text.encode())
    asked = {"KeyId": "k", "Message": HEAD.text.encode(), "MessageType": "RAW", "SigningAlgorithm": "ED25519_SHA_512"}
    with Stubber(kms) as stub:
        stub.add_response("get_public_key", {"PublicKey": encoded}, {"KeyId": "k"})
        stub.add_response("sign", {"Signature": signature}, asked)
        signer = KmsSigner(kms, "k", HEAD.origin)
        note = signed_note(HEAD, signer.key(), signer.sign(HEAD.text.encode()))
    assert opened_note(note, signer.key()) == HEAD


def test_a_key_of_another_kind_is_refused(kms: Any) -> None:
    with Stubber(kms) as stub:
        stub.add_response("get_public_key", {"PublicKey": b"\x30\x59" + bytes(89)}, {"KeyId": "k"})
        with pytest.raises(CustodyRefusedError, match="not one of Ed25519"):
            KmsSigner(kms, "k", "log").key()


@pytest.mark.parametrize(
    ("code", "status", "expected"),
    [
        ("DisabledException", 400, CustodyRefusedError),
        ("AccessDeniedException", 400, CustodyRefusedError),
        ("KMSInvalidStateException", 400, CustodyRefusedError),
        ("ThrottlingException", 400, CustodyUnavailableError),
        ("KMSInternalException", 500, CustodyUnavailableError),
    ],
)
def test_what_kms_refuses_and_what_passes(kms: Any, code: str, status: int, expected: type[Exception]) -> None:
    with Stubber(kms) as stub:
        stub.add_client_error("generate_mac", code, http_status_code=status)
        with pytest.raises(expected, match=f"{code} from KMS"):
            KmsKeys(kms, "k").key("2026-11-29")
