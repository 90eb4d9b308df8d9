"""Services that are asked, the templates of their parts, and the order that they have in a report."""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from waybill.core.executions import stable_json


@dataclass(frozen=True)
class RedactionRule:
    """A value that a service's part does not show, by its path in the answer; `everywhere` for wherever it occurs.

    `kind` is ``name``, ``identifier`` or ``text``, empty for what a value looks like; with `given_name` a person's
    given name goes alone as well.
    """

    path: str
    reason: str
    everywhere: bool = False
    kind: str = ""
    given_name: bool = False


def rules_digest(rules: Sequence[RedactionRule]) -> str:
    """Return the SHA-256 (hex) of what rules say, by which a part knows what it was drawn with."""
    return hashlib.sha256(stable_json({"rules": [asdict(rule) for rule in rules]}).encode()).hexdigest()


@dataclass(frozen=True)
class Service:
    """One service of the catalogue; `category` is PRISON or PROBATION, and `version` counts the writes.

    `credential_origin` is where its token was first sent, where its secret does not say what it is for. Another address
    waits in `proposed_url` for a second person.
    """

    name: str
    label: str
    url: str
    enabled: bool
    category: str
    suspended: bool = False
    suspended_at: datetime | None = None
    template_migrated: bool = False
    redactions: tuple[RedactionRule, ...] = ()
    credential_origin: str | None = None
    proposed_url: str | None = None
    proposed_by: str | None = None
    proposed_at: datetime | None = None
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

    Labels are sorted by letter, whatever their case.
    """
    if name in _BASE_SERVICES:
        return _BASE_SERVICES.index(name), "", name
    return len(_BASE_SERVICES) + (category != "PRISON"), label.casefold(), name
