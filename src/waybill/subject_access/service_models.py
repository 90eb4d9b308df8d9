"""Services that are asked, the templates of their parts, and the order that they have in a report."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class RedactionRule:
    """A value that a service's part does not show, by its path in the answer; `everywhere` for wherever it occurs."""

    path: str
    reason: str
    everywhere: bool = False


@dataclass(frozen=True)
class Service:
    """One service of the catalogue; `category` is PRISON or PROBATION, and `version` counts the writes."""

    name: str
    label: str
    url: str
    enabled: bool
    category: str
    suspended: bool = False
    suspended_at: datetime | None = None
    template_migrated: bool = False
    redactions: tuple[RedactionRule, ...] = ()
    version: int = 0


@dataclass(frozen=True)
class TemplateVersion:
    """A registered template text of a service; `status` is PENDING or PUBLISHED, `file_hash` its SHA-256 in hex."""

    service: str
    version: int
    file_hash: str
    status: str
    created_at: datetime
    published_at: datetime | None = None


_BASE_SERVICES = ("G1", "G2", "G3")


def report_order(name: str, label: str, category: str) -> tuple[int, str, str]:
    """Return what sorts services into the order of the report: G1, G2, G3, prison by label, probation by label.

    Labels are sorted by letter, whatever their case (reference, section 8).
    """
    if name in _BASE_SERVICES:
        return _BASE_SERVICES.index(name), "", name
    return len(_BASE_SERVICES) + (category != "PRISON"), label.casefold(), name
