"""The failure notification: one SNS topic for all workflows, filterable by attributes.

SNS takes subjects of at most 100 ASCII characters without control characters, and messages of at most 256 KiB
(Amazon SNS API Reference, Publish).
"""

import unicodedata
from dataclasses import dataclass
from typing import Protocol

SUBJECT_LIMIT = 100
BODY_LIMIT_BYTES = 250_000
_CUT = "\n… (cut: the whole list is in the records)"


def ascii_subject(text: str) -> str:
    """Return `text` as an SNS subject: accents folded, other characters as `?`, one line, at most 100 characters."""
    folded = unicodedata.normalize("NFKD", text)
    ascii_text = "".join(
        char if " " <= char <= "~" else " " if char.isspace() else "?"
        for char in folded
        if not unicodedata.combining(char)
    )
    line = " ".join(ascii_text.split()) or "Waybill"
    # SNS wants the first character to be a letter, a number or punctuation; a cut in the middle keeps the end of a key.
    return line if len(line) <= SUBJECT_LIMIT else f"{line[:60]}...{line[-(SUBJECT_LIMIT - 63) :]}"


def capped_body(text: str) -> str:
    """Return `text`, cut at a character so that it fits an SNS message, and saying so where it was cut."""
    encoded = text.encode()
    if len(encoded) <= BODY_LIMIT_BYTES:
        return text
    return encoded[: BODY_LIMIT_BYTES - len(_CUT.encode())].decode(errors="ignore") + _CUT


@dataclass(frozen=True)
class Notification:
    """What subscribers get: `workflow`, `status` and `about` become the attributes that they filter by.

    `notification_id` is the same however often the same news is sent, so that a subscriber can drop a repeat.
    """

    workflow: str
    status: str
    about: str
    subject: str
    body: str
    notification_id: str


class Notifier(Protocol):
    """Tells people."""

    def notify(self, notification: Notification) -> None:
        """Send it; raises when it could not be handed over."""
        ...
