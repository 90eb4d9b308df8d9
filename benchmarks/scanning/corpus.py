"""Synthetic log text with planted values, and hostile lines."""

import base64
import random

_SERVICES = ("orders", "billing", "auth", "gateway", "search", "mailer")
_WORDS = (
    "request",
    "finished",
    "cache",
    "miss",
    "for",
    "user",
    "session",
    "retry",
    "scheduled",
    "upstream",
    "returned",
    "slow",
    "query",
    "completed",
    "connection",
    "opened",
    "closed",
    "pool",
    "worker",
    "started",
    "batch",
    "of",
    "records",
    "written",
    "to",
    "partition",
)
_PLANTED = (
    "alice.smith@corp-mail.org",
    "4539214712746634",
    "5210 4024 0559 1275",
    "219-45-6789",
    "AKIAQ7RLWKZT4XMNB2PD",
    "+44 20 7946 0958",
    "GB69PMNJ18913943430745",
    "86.231.85.193",
    "AB123456C",
)


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
            line += f" value={chance.choice(_PLANTED)}"
        lines.append(line)
        total += len(line) + 1
    return ("\n".join(lines) + "\n").encode()


def hostile_megabytes() -> dict[str, bytes]:
    """Return lines of 1 MB that are quadratic for careless patterns."""
    chance = random.Random(1)
    return {
        "base64": base64.b64encode(chance.randbytes(786_432)),
        "a": b"a" * (1 << 20),
        "digits and spaces": "".join(chance.choices("0123456789 ", k=1 << 20)).encode(),
        "a@a@a@": b"a@" * (1 << 19),
    }
