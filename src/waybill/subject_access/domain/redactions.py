"""What people take out of one request's report: values, pages, attachments, as it is kept beside the answers.

The document is in the bucket and goes with what it is about; the request has its SHA-256, and so has every part that
was drawn with it.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

from waybill.subject_access.domain.kept_document import KeptDocument
from waybill.subject_access.models import Part


@dataclass(frozen=True)
class MarkedValue:
    """A value of a service's answer by its path, and the texts that it has; or a text of any answer.

    `service` is empty for all services. With `everywhere` the forms of the texts go out of all that is printed.
    """

    service: str
    path: str
    texts: tuple[str, ...]
    reason: str
    exemption: str = ""
    everywhere: bool = True
    kind: str = ""
    given_name: bool = False


@dataclass(frozen=True)
class MarkedPage:
    """A page of a service's part, counted from 1 in the part that is drawn as `layout` says: else it is another one."""

    service: str
    page: int
    reason: str
    exemption: str = ""
    layout: str = ""


@dataclass(frozen=True)
class MarkedAttachment:
    """An attachment of a service's part."""

    service: str
    number: int
    reason: str
    exemption: str = ""


@dataclass(frozen=True)
class Redactions(KeptDocument):
    """All that is taken out of a request's report. `salt` keeps the SHA-256 from being guessed from what is said."""

    values: tuple[MarkedValue, ...] = ()
    pages: tuple[MarkedPage, ...] = ()
    attachments: tuple[MarkedAttachment, ...] = ()
    salt: str = ""

    def __bool__(self) -> bool:
        return bool(self.values or self.pages or self.attachments)

    @classmethod
    def of(cls, document: bytes) -> Self:
        """Return what `document` says."""
        data: Mapping[str, Any] = json.loads(document)
        return cls(
            tuple(MarkedValue(**{**one, "texts": tuple(one["texts"])}) for one in data["values"]),
            tuple(MarkedPage(**one) for one in data["pages"]),
            tuple(MarkedAttachment(**one) for one in data["attachments"]),
            str(data["salt"]),
        )

    def says_the_same(self, other: "Redactions") -> bool:
        """Return whether both take the same out."""
        return replace(self, salt="") == replace(other, salt="")

    def layout(self, part: Part) -> str:
        """Return what tells where a part's pages begin and end: all that it is drawn with but the marks of pages."""
        marks = asdict(replace(self, pages=(), salt=""))
        drawn = {"rules": part.rules_sha256, "answer": part.answer_key, "template": part.template_key}
        return hashlib.sha256(json.dumps([marks, drawn], sort_keys=True).encode()).hexdigest()

    def of_service(self, service: str) -> Sequence[MarkedValue]:
        """Return the values that matter to a service's part: its own, and those that go out of every part."""
        return [value for value in self.values if value.service in ("", service) or (value.path and value.everywhere)]
