"""How S3's checksums are computed.

MiniStack goes through CRC32C and CRC64NVME byte by byte, in Python: 10 MB a second, while which it answers nobody. The
AWS CLI sends CRC64NVME by default (AWS SDKs and Tools Reference Guide, "Data Integrity Protections for Amazon S3").
"""

from awscrt import checksums
from ministack.services import s3


def mend() -> None:
    """Compute them as the SDKs do."""
    s3._crc32c = checksums.crc32c
    s3._crc64nvme = checksums.crc64nvme
