"""The services that subject access requests ask, and the templates that their parts are drawn with."""

import re
from typing import Any

from waybill.console.adapters.api import Asked
from waybill.console.domain.web import Form, Response
from waybill.console.domain.words import TEMPLATE, tag
from waybill.console.errors import ApiError, PageError
from waybill.console.pages.common import Errors, error, errors_of, required
from waybill.console.visit import Visit
from waybill.core.roles import Role

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,63}")
_CATEGORIES = {"PRISON": "Prison", "PROBATION": "Probation"}


def overview(visit: Visit, errors: Errors | None = None, status: int = 200) -> Response:
    """List the services that are asked."""
    return visit.page(
        "requests/services.html",
        "Services",
        status=status,
        services=visit.api.ask("listServices"),
        categories=_CATEGORIES,
        may_change=visit.may(Role.SAR_ADMIN),
        may_open=visit.may(Role.SAR_SUPPORT, Role.SAR_ADMIN),
        errors=errors or [],
    )


def act(visit: Visit) -> Response:
    """Suspend a service, let it be asked again, or add one."""
    if visit.form["what"] == "add":
        return _add(visit)
    suspended = {"yes": "true", "no": "false"}.get(visit.form["suspended"])
    if suspended is None:
        raise PageError(404, "Page not found", "There is nothing of this name to do with a service.")
    visit.api.ask("suspendService", query={"suspended": suspended}, id=visit.form["service"])
    return visit.go("services", "suspended" if suspended == "true" else "resumed")


def _add(visit: Visit) -> Response:
    form = visit.form
    wanted = {"name": "Enter its name", "label": "Enter what the report calls it", "url": "Enter where it is asked"}
    errors = required(form, wanted)
    if form["category"] not in _CATEGORIES:
        errors.append(error("category", "Choose whose records it has"))
    if not errors:
        body = {name: form[name] for name in ("name", "label", "url", "category")}
        try:
            visit.api.ask("createService", body)
        except ApiError as problem:
            errors = errors_of(problem, {name: name for name in body}, "name")
    return overview(visit, errors, 400) if errors else visit.go("services", "service-added")


def show(
    visit: Visit, service: str, errors: Errors | None = None, status: int = 200, *, is_usable: bool = False
) -> Response:
    """Show one service, and the versions of its template."""
    name = _name_of(service)
    answers = visit.api.ask_all({"services": Asked("listServices"), "templates": Asked("listTemplates", {"id": name})})
    for answer in answers.values():
        if isinstance(answer, ApiError):
            raise answer
    found = next((each for each in answers["services"] if each["name"] == name), None)
    if found is None:
        raise PageError(404, "Not found", "There is no service of this name.")
    return visit.page(
        "requests/service.html",
        found["label"],
        status=status,
        service=found,
        category=_CATEGORIES.get(found["category"], found["category"]),
        templates=[{**each, "tag": tag(TEMPLATE, each["status"])} for each in answers["templates"]],
        may_change=visit.may(Role.SAR_ADMIN),
        is_own_proposal=found["proposedBy"] == visit.who.subject,
        is_usable=is_usable,
        errors=errors or [],
    )


def change(visit: Visit, service: str) -> Response:
    """Check a template or register it; or propose another address, agree to it, or drop it."""
    name, what = _name_of(service), visit.form["what"]
    if what == "propose":
        return _propose(visit, name)
    if what in {"agree", "disagree"}:
        return _move(visit, name, agreed=what == "agree")
    if what in {"check", "register"}:
        return _register(visit, name)
    raise PageError(404, "Page not found", "There is nothing of this name to do with a service.")


def _propose(visit: Visit, name: str) -> Response:
    errors = required(visit.form, {"url": "Enter the address"})
    if not errors:
        known = next((each for each in visit.api.ask("listServices") if each["name"] == name), None)
        if known is None:
            raise PageError(404, "Not found", "There is no service of this name.")
        kept = {
            field: known[field] for field in ("name", "label", "enabled", "category", "templateMigrated", "redactions")
        }
        try:
            visit.api.ask("changeService", {**kept, "url": visit.form["url"]}, id=name)
        except ApiError as problem:
            errors = errors_of(problem, {"url": "url"}, "url")
    return show(visit, name, errors, 400) if errors else visit.go(f"services/{name}", "move-proposed")


def _move(visit: Visit, name: str, *, agreed: bool) -> Response:
    try:
        visit.api.ask("moveService", {"url": visit.form["address"], "agreed": agreed}, id=name)
    except ApiError as problem:
        return show(visit, name, errors_of(problem, {}, "url"), problem.status)
    return visit.go(f"services/{name}", "moved" if agreed else "move-dropped")


def _register(visit: Visit, name: str) -> Response:
    form = visit.form
    errors = required(form, {"template": "Enter the text of the template"})
    if not errors:
        path: dict[str, Any] = {} if form["what"] == "check" else {"id": name}
        operation = "validateTemplate" if form["what"] == "check" else "registerTemplate"
        try:
            visit.api.ask(operation, text=_text(form), **path)
        except ApiError as problem:
            errors = errors_of(problem, {}, "template")
    if errors:
        return show(visit, name, errors, 400)
    return (
        show(visit, name, is_usable=True)
        if form["what"] == "check"
        else visit.go(f"services/{name}", "template-registered")
    )


def _text(form: Form) -> str:
    """Return the text as it was typed: forms are sent with line ends of their own (HTML, "Form submission")."""
    return form.all("template")[0].replace("\r\n", "\n")


def _name_of(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise PageError(404, "Page not found", "If you typed the address, check that it is right.")
    return text
