"""Checksums that S3 keeps and neither Python nor botocore without its common runtime computes."""

import base64
from functools import cache

# RevEng, catalogue of CRC algorithms: width in bits, and the polynomial of CRC-32/ISCSI and CRC-64/NVME, reflected.
# Amazon S3 user guide, "Checking object integrity in Amazon S3", calls them CRC32C and CRC64NVME.
_ALGORITHMS = {"CRC32C": (32, 0x82F63B78), "CRC64NVME": (64, 0x9A6C9329AC4BC9B5)}


def crc(algorithm: str, data: bytes) -> str:
    """Return the checksum of `data` as S3 writes it: base64 of its bytes, the most significant first."""
    width, _ = _ALGORITHMS[algorithm]
    table, register = _table(algorithm), (1 << width) - 1
    for byte in data:
        register = table[(register ^ byte) & 0xFF] ^ (register >> 8)
    return base64.b64encode((register ^ ((1 << width) - 1)).to_bytes(width // 8)).decode()


@cache
def _table(algorithm: str) -> tuple[int, ...]:
    _, polynomial = _ALGORITHMS[algorithm]
    entries = []
    for register in range(256):
        for _ in range(8):
            register = (register >> 1) ^ (polynomial if register & 1 else 0)  # noqa: PLW2901 - shifted bit by bit
        entries.append(register)
    return tuple(entries)
