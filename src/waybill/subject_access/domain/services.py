"""What may be said of a service, and what becomes of a change to one."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, StrictBool

from waybill.core.errors import FieldError, ForbiddenError, InvalidInputError
from waybill.core.retry import CONTENTION
from waybill.subject_access.domain.audit import Action
from waybill.subject_access.domain.bodies import Body
from waybill.subject_access.domain.keys import SERVICE_NAME, template_key
from waybill.subject_access.domain.origins import origin_of
from waybill.subject_access.domain.ports import Catalogue, Documents
from waybill.subject_access.domain.report.json_paths import steps_of
from waybill.subject_access.domain.upstream.addresses import AddressRefusedError, Destinations
from waybill.subject_access.errors import AddressChangeError, ApproverError, ContendedError, UnknownServiceError
from waybill.subject_access.service_models import RedactionRule, Service, TemplateVersion

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


def _path(value: str) -> str:
    # Places differ from answer to answer: a rule for all of them says every item.
    if any(isinstance(step, int) for step in steps_of(value)):
        raise ValueError("must be names joined by dots, such as contacts[].phone")
    return value


class Redaction(Body):
    """A value that the service's part does not show."""

    path: Annotated[str, Field(max_length=200), AfterValidator(_path)] = Field(
        description="Where it is in the service's answer", examples=["notes[].author"]
    )
    reason: Annotated[str, Field(max_length=200), AfterValidator(_label)] = Field(
        description="Why, as the report says it", examples=["Third party"]
    )
    everywhere: StrictBool = Field(default=False, description="Whether the same value is hidden wherever it occurs")
    kind: Literal["name", "identifier", "text"] | None = Field(
        default=None, description="What kind of value it is, where that is not to be guessed"
    )
    given_name: StrictBool = Field(default=False, description="Whether a person's given name goes alone as well")

    @property
    def rule(self) -> RedactionRule:
        """What the catalogue keeps of it."""
        return RedactionRule(self.path, self.reason, self.everywhere, self.kind or "", self.given_name)


class ServiceEntry(Body):
    """A service as the catalogue is to have it."""

    name: Annotated[str, Field(pattern=f"^{SERVICE_NAME.pattern}$")] = Field(
        description="Its name, which stays", examples=["keyworker-api"]
    )
    label: Annotated[str, Field(max_length=100), AfterValidator(_label)] = Field(
        description="What the report calls it", examples=["Keyworker"]
    )
    url: Annotated[str, Field(max_length=500), AfterValidator(_url)] = Field(
        description="Where it is asked", examples=["https://keyworker.example.org"]
    )
    enabled: bool = Field(default=True, description="Whether new requests may name it")
    category: Literal["PRISON", "PROBATION"] = Field(description="Whose records it has")
    template_migrated: bool = Field(default=False, description="Whether its part is drawn with a registered template")
    redactions: Annotated[tuple[Redaction, ...], Field(max_length=200)] = Field(
        default=(), description="What its part does not show", examples=[[]]
    )

    def over(self, service: Service) -> Service:
        """Return `service` with what is said here, but for where it is asked; what was proposed before is void."""
        return replace(
            service,
            label=self.label,
            proposed_url=None,
            proposed_by=None,
            proposed_at=None,
            enabled=self.enabled,
            category=self.category,
            template_migrated=self.template_migrated,
            redactions=tuple(redaction.rule for redaction in self.redactions),
        )


class Move(Body):
    """What a second person says of the address that somebody has proposed for a service."""

    url: Annotated[str, Field(max_length=500), AfterValidator(_url)] = Field(
        description="The address that was proposed, as it was read", examples=["https://keyworker.example.org"]
    )
    agreed: StrictBool = Field(description="Whether the service is asked there from now on, or stays where it is")


@dataclass(frozen=True)
class Services:
    """Changes to the catalogue; `by` is whom the audit trail names."""

    catalogue: Catalogue
    templates: Documents
    allowed: Destinations
    now: Callable[[], datetime]

    def add(self, entry: ServiceEntry, by: str) -> Service:
        """Add a service.

        Raises
        ------
        InvalidInputError
            There is one of this name, or nothing would be asked at its address.
        """
        self._check(entry.url)
        made = entry.over(Service(entry.name, entry.label, entry.url, entry.enabled, entry.category))
        if not self.catalogue.save_service(made, _action(by, "SERVICE_CREATED", entry.name), new=True):
            raise InvalidInputError(FieldError("name", "is the name of another service"))
        return made

    def change(self, name: str, entry: ServiceEntry, by: str, *, may_move: bool) -> Service:
        """Change a service; its name stays, which requests know it by.

        Its address stays as well until somebody else agrees (`move`): prison numbers and its token go there.

        Raises
        ------
        UnknownServiceError
            There is none of this name.
        InvalidInputError
            The entry has another name, or an address where nothing would be asked.
        ForbiddenError
            The address has another origin, where the service's token would go, and the caller may not propose that.
        ContendedError
            Others changed it at the same time, again and again.
        """
        if entry.name != name:
            self.found(name)
            raise InvalidInputError(FieldError("name", "cannot be changed"))

        def changed(service: Service) -> Service:
            after = entry.over(service)
            if entry.url == service.url:
                return after
            if origin_of(entry.url) != origin_of(service.url) and not may_move:
                raise ForbiddenError("Only sar-admin may move a service to another host, scheme or port")
            self._check(entry.url)
            return replace(after, proposed_url=entry.url, proposed_by=by, proposed_at=self.now())

        def action(after: Service) -> Action:
            return _action(by, "SERVICE_MOVE_PROPOSED" if after.proposed_url else "SERVICE_CHANGED", name)

        return self._changed(name, changed, action)

    def _check(self, url: str) -> None:
        try:
            self.allowed.check(url)
        except AddressRefusedError as error:
            raise InvalidInputError(FieldError("url", str(error))) from error

    def move(self, name: str, move: Move, by: str) -> Service:
        """Move a service to the address that somebody else has proposed; or take the proposal back.

        Any change of the service since then has made the proposal void.

        Raises
        ------
        UnknownServiceError
            There is none of this name.
        AddressChangeError
            This address is not proposed, or not any more.
        ApproverError
            `by` has proposed it, and agrees.
        ContendedError
            Others changed it at the same time, again and again.
        """

        def moved(service: Service) -> Service:
            if service.proposed_url != move.url:
                raise AddressChangeError(
                    "This address is not proposed, or the service was changed since: look at it again"
                )
            if move.agreed and service.proposed_by == by:
                raise ApproverError("Whoever proposes an address cannot agree to it: somebody else has to")
            after = replace(service, proposed_url=None, proposed_by=None, proposed_at=None)
            if not move.agreed:
                return after
            # Where its token goes from then on is recorded at its first use.
            kept = service.credential_origin if origin_of(move.url) == origin_of(service.url) else None
            return replace(after, url=move.url, credential_origin=kept)

        action = _action(by, "SERVICE_MOVED" if move.agreed else "SERVICE_MOVE_REFUSED", name)
        return self._changed(name, moved, lambda _: action)

    def suspend(self, name: str, by: str, *, suspended: bool) -> Service:
        """Suspend a service, or resume it.

        Raises
        ------
        UnknownServiceError
            There is none of this name.
        ContendedError
            Others changed it at the same time, again and again.
        """
        since = self.now() if suspended else None
        action = _action(by, "SERVICE_SUSPENDED" if suspended else "SERVICE_RESUMED", name)
        return self._changed(
            name, lambda found: replace(found, suspended=suspended, suspended_at=since), lambda _: action
        )

    def register(self, name: str, text: bytes, check: Callable[[str], None], by: str) -> TemplateVersion:
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
        self.templates.save_document(template_key(digest), text)
        return self.catalogue.register_template(name, digest, _action(by, "TEMPLATE_REGISTERED", name))

    def _changed(self, name: str, change: Callable[[Service], Service], action: Callable[[Service], Action]) -> Service:
        for _ in CONTENTION.attempts():
            after = change(self.found(name))
            if self.catalogue.save_service(after, action(after), new=False):
                return after
        raise ContendedError(f"the service {name} is being changed by others")

    def found(self, name: str) -> Service:
        """Return a service; raises UnknownServiceError."""
        service = self.catalogue.service(name)
        if service is None:
            raise UnknownServiceError("There is no such service")
        return service


def _action(by: str, name: str, service: str) -> Action:
    return Action(by, name, {"service": service})


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
