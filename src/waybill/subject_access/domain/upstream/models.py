"""What the upstream side talks about."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from waybill.subject_access.domain.upstream.codes import Code


@dataclass(frozen=True)
class Question:
    """About whom, and about which days (both inclusive); `prn` is a prison number, `crn` a probation case number."""

    prn: str | None
    crn: str | None
    date_from: date | None
    date_to: date

    def parameters(self) -> dict[str, str]:
        """Return the query parameters; what is not known is absent."""
        known = {
            "prn": self.prn,
            "crn": self.crn,
            "fromDate": self.date_from.isoformat() if self.date_from else None,
            "toDate": self.date_to.isoformat(),
        }
        return {name: value for name, value in known.items() if value}


@dataclass(frozen=True)
class Problem:
    """Why a part errored, for support staff: holds nothing of what a service answered."""

    code: Code
    message: str
    http_status: int | None = None
    retry_at: int | None = None


@dataclass(frozen=True)
class AttachmentEntry:
    """One attachment as a service announces it; `name` and `filename` are cleaned, `headers` are to be sent.

    `filesize` is in bytes; `inline` is the hash of the address of a picture that stands in the answer itself.
    """

    number: int
    name: str
    filename: str
    content_type: str
    url: str = field(repr=False)
    filesize: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    inline: str | None = None


@dataclass(frozen=True)
class TemplateChoice:
    """The registered template that a part is rendered with; `pictures` are to be fetched where it may print some."""

    key: str
    version: int
    pictures: bool = False


@dataclass(frozen=True)
class Limits:
    """What one service may cost: sizes in bytes, times in seconds, `tries` of one call."""

    answer_bytes: int = 100 * 1024**2
    attachment_bytes: int = 512 * 1024**2
    attachments: int = 10_000
    attachment_list_bytes: int = 16 * 1024**2
    template_bytes: int = 1024**2
    tries: int = 3
    first_wait: float = 1.0
    longest_wait: float = 30.0
    answer_seconds: float = 240.0
    parallel_attachments: int = 4
