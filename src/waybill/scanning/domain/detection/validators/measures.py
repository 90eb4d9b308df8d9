"""What is measured of a value: its digits, the check digit of Luhn, how random it is."""

import math
import re
from collections.abc import Iterable
from operator import mul

_NOT_DIGITS = bytes(set(range(256)) - set(b"0123456789"))
_DOUBLED = bytes.maketrans(b"0123456789", bytes((0, 2, 4, 6, 8, 1, 3, 5, 7, 9)))
_VALUE = bytes.maketrans(b"0123456789", bytes(range(10)))
ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
DIGIT, LETTER = re.compile(rb"[0-9]"), re.compile(rb"[A-Za-z]")


def digits_of(value: bytes) -> bytes:
    """Return the digits of `value` alone."""
    return value.translate(None, _NOT_DIGITS)


def luhn(digits: bytes) -> bool:
    """Return whether the Luhn check digit holds (ISO/IEC 7812-1, annex B)."""
    return (sum(digits[-1::-2].translate(_VALUE)) + sum(digits[-2::-2].translate(_DOUBLED))) % 10 == 0


def weighted(number: str, weights: Iterable[int]) -> int:
    """Return the sum of the digits, each times its weight; what is left over of either counts nothing."""
    # Of a column of numbers this is the dearest part: no generator.
    return sum(map(mul, map(int, number), weights))


def entropy(value: bytes) -> float:
    """Return the Shannon entropy of the bytes, in bits per byte."""
    total = len(value)
    counts = [value.count(byte) for byte in set(value)]
    return math.log2(total) - sum(count * math.log2(count) for count in counts if count > 1) / total if total else 0.0
