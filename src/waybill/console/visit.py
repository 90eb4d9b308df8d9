"""One request of somebody: who it is, what they may do, and how a page is made for them."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cached_property
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from markupsafe import Markup

import waybill
from waybill.console.adapters.api import Api
from waybill.console.domain import format as shown
from waybill.console.domain.links import link
from waybill.console.domain.sealing import form_token, owner_of
from waybill.console.domain.web import Form, Request, Response, redirect
from waybill.console.rendering import environment, static_name
from waybill.core.roles import Caller, Role

_SAR = (Role.SAR_USER, Role.SAR_SUPPORT, Role.SAR_APPROVER, Role.SAR_ADMIN)
_CONSIGNMENTS = (Role.CONSIGNMENTS, Role.CONSIGNMENTS_SERVICE, Role.CONSIGNMENTS_APPROVER)
# The menu: what a page is called, where it is, and which roles see it.
MENU: tuple[tuple[str, str, Collection[Role]], ...] = (
    ("Consignments", "consignments", _CONSIGNMENTS),
    ("Replication", "replication", (Role.REPLICATION,)),
    ("Findings", "findings", (Role.SCANNING,)),
    ("Requests", "requests", _SAR),
    ("Identifiers", "identifiers", (Role.MINTING,)),
    ("Trace a file", "custody", (Role.CUSTODY,)),
)


@dataclass(frozen=True)
class Person:
    """Who is signed in, what they may do, the secret of their session, and in how many seconds it ends unused."""

    caller: Caller
    name: str
    secret: str
    seconds: int = 0


@dataclass
class Visit:
    """A request, who has sent it, and the API as they may ask it."""

    request: Request
    person: Person | None
    zone: ZoneInfo
    is_local: bool
    make_api: Callable[[], Api]
    form: Form = field(default_factory=Form)
    notice: str = ""
    kept: bool = False

    @cached_property
    def api(self) -> Api:
        """The API."""
        return self.make_api()

    @property
    def who(self) -> Caller:
        """Who is signed in; pages that need nobody do not ask."""
        if self.person is None:
            raise LookupError("nobody is signed in")
        return self.person.caller

    @cached_property
    def now(self) -> datetime:
        """The time at which the page is made, where the console's times are."""
        return datetime.now(UTC).astimezone(self.zone)

    @property
    def today(self) -> date:
        """The day that it is where the console's times are."""
        return self.now.date()

    def may(self, *roles: Role) -> bool:
        """Return whether one of `roles` is theirs."""
        return self.person is not None and self.who.may(roles)

    def to(self, path: str, query: Mapping[str, object] | None = None, **more: object) -> str:
        """Return the address of another page."""
        return link(self.request.segments, path, {**(query or {}), **more})

    def go(self, path: str, notice: str = "", **query: object) -> Response:
        """Return the answer that leads on to a page, which says `notice`, the name of a sentence, above its content."""
        return redirect(self.to(path, query, done=notice))

    def page(self, template: str, title: str, *, status: int = 200, **values: Any) -> Response:
        """Return a page; `title` is its heading too."""
        text = environment().get_template(f"console/{template}").render(**self._common(), title=title, **values)
        return Response(status, text)

    def _common(self) -> dict[str, Any]:
        return {
            "visit": self,
            "to": self.to,
            "static": lambda name: self.to(f"static/{static_name(name)}"),
            "when": lambda text: shown.time_of(text, self.zone),
            "menu": self._menu(),
            "secret_fields": self._secret_fields,
            "version": waybill.__version__,
            "Role": Role,
            "now": self.now,
        }

    def _menu(self) -> list[dict[str, Any]]:
        if self.person is None:
            return []
        here = self.request.segments[0] if self.request.segments else ""
        here = {"scans": "findings", "detectors": "findings", "services": "requests"}.get(here, here)
        items = [{"text": "Home", "href": self.to(""), "current": here == ""}]
        return items + [
            {"text": text, "href": self.to(path), "current": path == here}
            for text, path, roles in MENU
            if self.who.may(roles)
        ]

    def _secret_fields(self, *, once: bool = True) -> Markup:
        """What every form holds: proof that it is ours and, where it changes something, a name for this sending."""
        if self.person is None:
            return Markup("")
        hidden = {"token": form_token(self.person.secret), "who": owner_of(self.who.subject)}
        hidden |= {"once": str(uuid4())} if once else {}
        field_of = Markup('<input type="hidden" name="{}" value="{}">').format
        return Markup("").join(field_of(name, value) for name, value in hidden.items())
