"""What S3 keeps of an upload is kept of its copies, and proves them, also where no SDK of ours can compute it.

Source: Amazon S3 user guide, "Checking object integrity in Amazon S3": full-object and composite checksums.
"""

import base64
import os
from typing import Any

import pytest

from tests.fakes.crc import crc
from tests.workflow.support.application import Application
from tests.workflow.support.source import Source

MIB = 1024**2
# Over the stack's threshold, so that it is copied in parts.
PARTS = (6 * MIB, 1 * MIB)


def test_the_checksums_are_those_of_the_catalogue() -> None:
    """RevEng, catalogue of CRC algorithms: the check values, of the text 123456789."""
    values = {name: base64.b64decode(crc(name, b"123456789")).hex() for name in ("CRC32C", "CRC64NVME")}
    assert values == {"CRC32C": "e3069283", "CRC64NVME": "ae8b14860a799888"}


def checksum_of(application: Application, bucket: str, key: str, algorithm: str) -> tuple[str | None, str | None]:
    found: dict[str, Any] = application.s3.head_object(Bucket=bucket, Key=key, ChecksumMode="ENABLED")
    return found.get(f"Checksum{algorithm}"), found.get("ChecksumType")


@pytest.mark.parametrize("algorithm", ["CRC32C", "CRC64NVME"])
def test_a_full_object_checksum_proves_the_copies(
    application: Application, quiet: Source, algorithm: str, key: str, label: str
) -> None:
    body = os.urandom(1000)
    quiet.put(key, body, **{f"Checksum{algorithm}": crc(algorithm, body)})
    assert application.run(quiet.request(key), label).output["status"] == "SUCCESS"
    for bucket in application.destinations:
        assert quiet.destinations(key)[bucket]["verification"] == "CHECKSUM"
        assert checksum_of(application, bucket, key, algorithm)[0] == crc(algorithm, body)


def test_a_composite_checksum_proves_copies_in_the_same_parts(
    application: Application, quiet: Source, key: str, label: str
) -> None:
    """The same, "Using part-level checksums": CRC64NVME has none over parts."""
    algorithm, bodies = "CRC32C", [os.urandom(size) for size in PARTS]
    upload = application.s3.create_multipart_upload(
        Bucket=quiet.name, Key=key, ChecksumAlgorithm=algorithm, ChecksumType="COMPOSITE"
    )
    place = {"Bucket": quiet.name, "Key": key, "UploadId": upload["UploadId"]}
    sums = [crc(algorithm, body) for body in bodies]
    parts = [
        {"PartNumber": number, "ChecksumCRC32C": each}
        | {
            "ETag": application.s3.upload_part(**place, PartNumber=number, Body=body, ChecksumCRC32C=each)["ETag"],
        }
        for number, (body, each) in enumerate(zip(bodies, sums, strict=True), start=1)
    ]
    application.s3.complete_multipart_upload(**place, MultipartUpload={"Parts": parts})
    # The checksum of the parts' checksums, and how many there are.
    expected = f"{crc(algorithm, b''.join(map(base64.b64decode, sums)))}-{len(parts)}"
    assert checksum_of(application, quiet.name, key, algorithm) == (expected, "COMPOSITE")
    assert application.run(quiet.request(key), label).output["status"] == "SUCCESS"
    for bucket in application.destinations:
        assert checksum_of(application, bucket, key, algorithm) == (expected, "COMPOSITE")
        assert quiet.destinations(key)[bucket]["verification"] == "CHECKSUM"
        assert application.content(bucket, key) == b"".join(bodies)
