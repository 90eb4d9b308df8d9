"""What may be said of a service, and what becomes of a change to one."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from waybill.core.errors import FieldError, InvalidInputError
from waybill.core.wire import WireModel
from waybill.disclosure.errors import UnknownServiceError
from waybill.disclosure.keys import SERVICE_NAME, template_key
from waybill.disclosure.models import RedactionRule, Service, TemplateVersion
from waybill.disclosure.ports import Catalogue, Templates

_MOST_TEMPLATE_BYTES = 1_000_000


def _url(value: str) -> str:
    try:
        parts = urlsplit(value)
        usable = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        usable = None
    if not usable or parts.username or parts.password or parts.query or parts.fragment or not value.isprintable():
        raise ValueError("must be an absolute http or https address without credentials, query or fragment")
    return value.rstrip("/")


def _label(value: str) -> str:
    text = value.strip()
    if not text or not text.isprintable():
        raise ValueError("must be one line of text")
    return text


class Redaction(WireModel):
    """A value that the service's part does not show."""

    path: Annotated[str, Field(min_length=1, max_length=200)]
    reason: Annotated[str, Field(min_length=1, max_length=200)]
    everywhere: bool = False


class ServiceEntry(WireModel):
    """`POST /services` and `PUT /services/{id}`."""

    name: Annotated[str, Field(pattern=f"^{SERVICE_NAME.pattern}$")]
    label: Annotated[str, Field(max_length=100), AfterValidator(_label)]
    url: Annotated[str, Field(max_length=500), AfterValidator(_url)]
    enabled: bool = True
    category: Literal["PRISON", "PROBATION"]
    template_migrated: bool = False
    redactions: Annotated[tuple[Redaction, ...], Field(max_length=200)] = ()

    @property
    def rules(self) -> tuple[RedactionRule, ...]:
        """The redaction rules, as they are kept."""
        return tuple(RedactionRule(rule.path, rule.reason, rule.everywhere) for rule in self.redactions)


@dataclass(frozen=True)
class Services:
    """Changes to the catalogue."""

    catalogue: Catalogue
    templates: Templates
    now: Callable[[], datetime]

    def add(self, entry: ServiceEntry) -> Service:
        """Add a service.

        Raises
        ------
        InvalidInputError
            There is one of this name.
        """
        made = Service(
            entry.name,
            entry.label,
            entry.url,
            entry.enabled,
            entry.category,
            template_migrated=entry.template_migrated,
            redactions=entry.rules,
        )
        if not self.catalogue.save_service(made, new=True):
            raise InvalidInputError(FieldError("name", "is the name of another service"))
        return made

    def change(self, name: str, entry: ServiceEntry) -> Service:
        """Change a service; its name stays, which requests know it by.

        Raises
        ------
        UnknownServiceError
            There is none of this name.
        InvalidInputError
            The entry has another name.
        """
        before = self.found(name)
        if entry.name != name:
            raise InvalidInputError(FieldError("name", "cannot be changed"))
        after = replace(
            before,
            label=entry.label,
            url=entry.url,
            enabled=entry.enabled,
            category=entry.category,
            template_migrated=entry.template_migrated,
            redactions=entry.rules,
        )
        self.catalogue.save_service(after, new=False)
        return after

    def suspend(self, name: str, *, suspended: bool) -> Service:
        """Suspend a service, or resume it.

        Raises
        ------
        UnknownServiceError
            There is none of this name.
        """
        before = self.found(name)
        after = replace(before, suspended=suspended, suspended_at=self.now() if suspended else None)
        self.catalogue.save_service(after, new=False)
        return after

    def register(self, name: str, text: bytes, check: Callable[[str], None]) -> TemplateVersion:
        """Register the text of a service's template; the service may use it from then on.

        Raises
        ------
        UnknownServiceError
            There is no service of this name.
        InvalidInputError
            The text is no template.
        """
        self.found(name)
        digest = checked_template(text, check)
        # The text first: a version whose text nobody has would be of no use.
        self.templates.keep_template(template_key(digest), text)
        return self.catalogue.register_template(name, digest)

    def found(self, name: str) -> Service:
        """Return a service; raises UnknownServiceError."""
        service = self.catalogue.service(name)
        if service is None:
            raise UnknownServiceError("There is no such service")
        return service


def checked_template(text: bytes, check: Callable[[str], None]) -> str:
    """Return the SHA-256 of a template's text, in hex.

    Raises
    ------
    InvalidInputError
        It is empty, too large, not UTF-8, or `check` finds that it is no template.
    """
    if not text.strip():
        raise InvalidInputError(FieldError("file", "is empty"))
    if len(text) > _MOST_TEMPLATE_BYTES:
        raise InvalidInputError(FieldError("file", f"must have at most {_MOST_TEMPLATE_BYTES} bytes"))
    try:
        check(text.decode())
    except UnicodeDecodeError:
        raise InvalidInputError(FieldError("file", "must be UTF-8 text")) from None
    return hashlib.sha256(text).hexdigest()
