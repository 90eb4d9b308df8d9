"""Synthetic log text with planted values, and hostile lines."""

import base64
import random
import sysconfig
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from waybill.scanning.domain.detection.rules import Detector
from waybill.scanning.domain.detection.validators.measures import luhn

_SERVICES = ("orders", "billing", "auth", "gateway", "search", "mailer")
_WORDS = (
    *("request", "finished", "cache", "miss", "for", "user", "session", "retry", "scheduled", "upstream", "returned"),
    *("slow", "query", "completed", "connection", "opened", "closed", "pool", "worker", "started", "batch", "of"),
    *("records", "written", "to", "partition"),
)
_CAPITALS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_BASE32 = f"{_CAPITALS}234567"


def _email(chance: random.Random) -> str:
    return f"{chance.choice(_WORDS)}.{chance.choice(_WORDS)}{chance.randint(1, 999)}@corp-mail.org"


def _card(chance: random.Random) -> str:
    body = chance.choice(("4539", "5210", "4716", "5555")) + _digits(chance, 11)
    digits = next(body + check for check in "0123456789" if luhn((body + check).encode()))
    return chance.choice(("", " ", "-")).join(digits[at : at + 4] for at in range(0, 16, 4))


def _ssn(chance: random.Random) -> str:
    return f"{chance.randint(100, 665)}-{chance.randint(10, 99)}-{chance.randint(1000, 9999)}"


def _key_id(chance: random.Random) -> str:
    return "AKIA" + "".join(chance.sample(_BASE32, 16))


def _phone(chance: random.Random) -> str:
    return f"+44 20 7946 {chance.randint(1000, 9999)}"


def _iban(chance: random.Random) -> str:
    account = "".join(chance.choices(_CAPITALS, k=4)) + _digits(chance, 14)
    number = int("".join(str(int(letter, 36)) for letter in f"{account}GB00"))
    return f"GB{98 - number % 97:02}{account}"


def _address(chance: random.Random) -> str:
    return ".".join(str(chance.randint(11, 99)) for _ in range(4))


def _nino(chance: random.Random) -> str:
    return f"{chance.choice('ABCEHJ')}{chance.choice('ABCEHJL')}{_digits(chance, 6)}{chance.choice('ABCD')}"


def _digits(chance: random.Random, count: int) -> str:
    return "".join(chance.choices("0123456789", k=count))


_PLANTED: tuple[Callable[[random.Random], str], ...] = (_email, _card, _ssn, _key_id, _phone, _iban, _address, _nino)


def log_text(size: int, planted: float = 0.02) -> bytes:
    """Return about `size` bytes of log lines, of which the share `planted` ends in a sensitive value."""
    chance = random.Random(7)
    lines: list[str] = []
    total = 0
    while total < size:
        line = (
            f"2025-11-{chance.randint(1, 28):02d}T{chance.randint(0, 23):02d}:{chance.randint(0, 59):02d}:00.000Z INFO "
            f"{chance.choice(_SERVICES)} [{chance.getrandbits(32):08x}] GET /v1/{chance.choice(_SERVICES)}/"
            f"{chance.randint(1, 99999)} 200 {chance.randint(1, 900)}ms {' '.join(chance.choices(_WORDS, k=10))}"
        )
        if chance.random() < planted:
            line += f" value={chance.choice(_PLANTED)(chance)}"
        lines.append(line)
        total += len(line) + 1
    return ("\n".join(lines) + "\n").encode()


def source_code(size: int) -> bytes:
    """Return `size` bytes, or as many as there are, of the modules of Python's standard library."""
    parts: list[bytes] = []
    library = Path(sysconfig.get_path("stdlib"))
    for module in sorted(library.rglob("*.py")):
        if size > 0 and "site-packages" not in module.parts:
            parts.append(module.read_bytes()[:size])
            size -= len(parts[-1])
    return b"".join(parts)


def nothing_but_values(known: Iterable[Detector], size: int) -> Iterator[tuple[str, bytes]]:
    """Yield texts of `size` bytes that hold nothing but values: of each kind, and of each example of each detector.

    They stand on lines, in a row with commas, in cells with tabs, and right behind each other.
    """
    chance = random.Random(4)
    kinds = {make.__name__.strip("_"): [make(chance) for _ in range(size // 8)] for make in _PLANTED}
    kinds["telephone numbers"] = [
        f"0{_digits(chance, 2)} {_digits(chance, 4)} {_digits(chance, 4)}" for _ in range(size // 14)
    ]
    for detector in known:
        for number, example in enumerate(detector.examples):
            value = str(example.get("finds", example["text"]))
            kinds[f"{detector.id} {number}"] = [value] * (size // len(value) + 1)
    for name, values in kinds.items():
        for joint, joined in (("lines", "\n"), ("commas", ","), ("tabs", "\t"), ("nothing", "")):
            yield f"{name}, {joint}", joined.join(values).encode()[:size]


def hostile_megabytes() -> dict[str, bytes]:
    """Return texts of 1 MB that are dear for careless patterns, and two where every line is a value."""
    chance = random.Random(1)
    return {
        "base64": base64.b64encode(chance.randbytes(786_432)),
        "a": b"a" * (1 << 20),
        "digits and spaces": "".join(chance.choices("0123456789 ", k=1 << 20)).encode(),
        "a@a@a@": b"a@" * (1 << 19),
        "groups of two digits": b"12 34 56 78 " * 87_000,
        "single digits behind a plus": b"+1 2 3 4 5 6 7 8 9 " * 55_000,
        "soft line ends": b"card 4539=\n2147=\n" * 61_000,
        "lines behind backslashes": b"1\\\n" * 333_000,
        "tags within a line": b"219-<b>45</b>-6789\n" * 52_000,
        "tags that go over lines": b"<b\n1" * 250_000,
        "keywords": b"password: secret token=" * 45_000,
        "escapes": b"\\u0041" * 174_000,
        "a column of cards": "".join(f"{_card(chance)}\n" for _ in range(58_000)).encode(),
        "an indented list of cards": "".join(f"    {_card(chance)}\n" for _ in range(48_000)).encode(),
        "named base64": b"".join(
            b"k%d=%b\n" % (number, base64.b64encode(b"password: Xk29vTq81z!%d" % number)) for number in range(23_000)
        ),
        "lines of hexadecimal digits": b"".join(
            b"%d: %b\n" % (number, b"password: Xk29vTq81z!".hex().encode()) for number in range(20_000)
        ),
        "random pairs of digits": " ".join(f"{chance.randint(10, 99)}" for _ in range(349_000)).encode(),
        "quoted rows": b'"Smith, Bob","219456789","Xk29vTq8"\n' * 28_000,
        "a column of addresses": "".join(f"{_email(chance)}\n" for _ in range(32_000)).encode(),
    }
