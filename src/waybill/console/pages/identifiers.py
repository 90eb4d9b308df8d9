"""Identifiers: one box for every form of them, minting with a look before it, the registry's soundness."""

import re
from typing import Any

from waybill.console.domain.web import Response
from waybill.console.domain.words import IDENTIFIER, tag
from waybill.console.errors import ApiError, PageError
from waybill.console.pages.common import Errors, error, errors_of, required
from waybill.console.visit import Visit

_CANONICAL = re.compile(r"[a-z0-9]{8,9}")
_MOST = 100


def look_up(visit: Visit) -> Response:
    """Find what is called so, by its canonical ID or by its source."""
    text = visit.request.query.get("q", "").strip()
    trouble = ""
    if text:
        try:
            return visit.go(f"identifiers/{_find(visit, text)['canonicalId']}")
        except ApiError as problem:
            if problem.status not in {400, 404, 410}:
                raise
            trouble = problem.detail
    return visit.page("identifiers/look-up.html", "Look up an identifier", asked=text, trouble=trouble)


def show(visit: Visit, canonical_id: str, errors: Errors | None = None, status: int = 200) -> Response:
    """Show one identifier: its sources, its life."""
    found = visit.api.ask("showIdentifier", canonicalId=canonical_id)
    sources = found.get("identifiers") or ([found] if found.get("sourceIdentifier") else [])
    return visit.page(
        "identifiers/show.html",
        found["canonicalId"],
        status=status,
        identifier=found,
        tag=tag(IDENTIFIER, found["status"]),
        sources=sources,
        errors=errors or [],
    )


def change(visit: Visit, canonical_id: str) -> Response:
    """Replace an identifier, or withdraw it."""
    form = visit.form
    if form["what"] not in {"replace", "withdraw"}:
        raise PageError(404, "Page not found", "There is no such change of an identifier.")
    replacing = form["what"] == "replace"
    wanted = {"reason": "Enter why"}
    errors = required(form, {"by": "Enter the identifier that stands in its place", **wanted} if replacing else wanted)
    if not errors:
        try:
            if replacing:
                body = {"by": form["by"], "reason": form["reason"]}
                visit.api.ask("replaceIdentifier", body, canonicalId=canonical_id)
            else:
                visit.api.ask("withdrawIdentifier", {"reason": form["reason"]}, canonicalId=canonical_id)
        except ApiError as problem:
            errors = errors_of(problem, {"by": "by", "reason": "reason"}, "reason")
    if errors:
        return show(visit, canonical_id, errors, 400)
    return visit.go(f"identifiers/{canonical_id}", "replaced" if replacing else "withdrawn")


def confirm_minting(visit: Visit, errors: Errors | None = None, status: int = 200, outcome: Any = None) -> Response:
    """Ask for what identifiers are minted for."""
    return visit.page(
        "identifiers/mint.html", "Mint identifiers", status=status, errors=errors or [], outcome=outcome, most=_MOST
    )


def mint(visit: Visit) -> Response:
    """Mint identifiers, and show which they are."""
    lines = list(dict.fromkeys(line.strip() for line in visit.form["sources"].splitlines() if line.strip()))
    if not lines or len(lines) > _MOST:
        return confirm_minting(visit, [error("sources", f"Enter between 1 and {_MOST} source identifiers")], 400)
    try:
        found = visit.api.ask("mintIdentifiers", {"sourceIdentifiers": lines})
    except ApiError as problem:
        return confirm_minting(visit, errors_of(problem, {}, "sources"), 400)
    minted = [
        (source, identity["canonicalId"] if isinstance(identity, dict) else identity)
        for source, identity in found["identifiers"].items()
    ]
    return confirm_minting(visit, outcome={"minted": minted, "failures": found["failures"]})


def registry(visit: Visit) -> Response:
    """Show whether the registry is sound."""
    found: Any = None
    too_large = ""
    try:
        found = visit.api.ask("auditIdentifiers")
    except ApiError as problem:
        if problem.status != 409:
            raise
        too_large = problem.detail
    title = "The registry"
    if found is not None:
        title = "The registry is not sound" if found["violationCount"] else "The registry is sound"
    return visit.page("identifiers/registry.html", title, audit=found, too_large=too_large)


def _find(visit: Visit, text: str) -> Any:
    if _CANONICAL.fullmatch(text.lower()):
        try:
            return visit.api.ask("showIdentifier", canonicalId=text)
        except ApiError as problem:
            if problem.status != 404:
                raise
    return visit.api.ask("findIdentifier", query={"source": text})
