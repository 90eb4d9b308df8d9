"""Every page: its path below `/console`, who may see it, and the functions that show it and act for it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from waybill.console.domain.web import Response
from waybill.console.errors import PageError
from waybill.console.pages import (
    backfills,
    consignments,
    corrections,
    custody,
    detectors,
    entrance,
    findings,
    home,
    identifiers,
    redaction,
    replication,
    requests,
    services,
    worklist,
)
from waybill.core.roles import Role

_CONSIGNMENTS = frozenset({Role.CONSIGNMENTS, Role.CONSIGNMENTS_SERVICE, Role.CONSIGNMENTS_APPROVER})
_SENDERS = frozenset({Role.CONSIGNMENTS, Role.CONSIGNMENTS_SERVICE})
_REPLICATION = frozenset({Role.REPLICATION})
_SCANNING = frozenset({Role.SCANNING})
_SAR = frozenset({Role.SAR_USER, Role.SAR_SUPPORT, Role.SAR_APPROVER, Role.SAR_ADMIN})
_CASE_WORKERS = frozenset({Role.SAR_USER, Role.SAR_SUPPORT, Role.SAR_ADMIN})
_SUPPORT = frozenset({Role.SAR_SUPPORT, Role.SAR_ADMIN})
_MINTING = frozenset({Role.MINTING})
_CUSTODY = frozenset({Role.CUSTODY})
_CUSTODY_ADMIN = frozenset({Role.CUSTODY_ADMIN})
_ANYBODY: frozenset[Role] = frozenset()

type PageFunction = Callable[..., Response]


@dataclass(frozen=True)
class Route:
    """One page; `path` is a template such as `consignments/{consignment_id}`. No roles: whoever is signed in."""

    path: str
    show: PageFunction
    roles: frozenset[Role] = _ANYBODY
    act: PageFunction | None = None
    is_public: bool = False
    knows_the_person: bool = False
    uploads: bool = False


def _public(path: str, show: PageFunction, act: PageFunction | None = None, *, knows: bool = False) -> Route:
    return Route(path, show, act=act, is_public=True, knows_the_person=knows)


ROUTES: tuple[Route, ...] = (
    Route("", home.show),
    Route("search", home.search),
    _public("sign-in", entrance.sign_in),
    _public("sign-in/start", entrance.start),
    _public("callback", entrance.callback),
    _public("handover", entrance.take_over, entrance.hand_over),
    _public("session", entrance.session),
    Route("sign-out", entrance.back, act=entrance.sign_out),
    _public("signed-out", entrance.signed_out),
    _public("help", entrance.help_page, knows=True),
    _public("accessibility", entrance.accessibility, knows=True),
    _public("static/{name}", entrance.static),
    Route("consignments", consignments.overview, _CONSIGNMENTS),
    Route("consignments/new", consignments.new, _SENDERS, uploads=True),
    Route("consignments/register", consignments.back, _SENDERS, consignments.register),
    Route("consignments/{consignment_id}", consignments.show, _CONSIGNMENTS),
    Route("consignments/{consignment_id}/progress", consignments.progress, _CONSIGNMENTS),
    Route("consignments/{consignment_id}/upload", consignments.upload, _SENDERS, uploads=True),
    Route("consignments/{consignment_id}/addresses", consignments.back, _SENDERS, consignments.addresses),
    Route("consignments/{consignment_id}/start", consignments.back, _SENDERS, consignments.start),
    Route("consignments/{consignment_id}/corrections", corrections.show, _SENDERS, corrections.correct, uploads=True),
    Route("consignments/{consignment_id}/export", consignments.export, _CONSIGNMENTS),
    Route("consignments/{consignment_id}/file", consignments.show_file, _CONSIGNMENTS, consignments.waive),
    Route("replication", replication.overview, _REPLICATION),
    Route("replication/file", replication.show_file, _REPLICATION, replication.copy_again),
    Route("replication/retry", replication.back, _REPLICATION, replication.retry),
    Route("replication/dismiss-group", replication.confirm_group, _REPLICATION, replication.dismiss_group),
    Route("replication/dismiss", replication.confirm_dismissal, _REPLICATION, replication.dismiss),
    Route("replication/verifications", replication.verifications, _REPLICATION, replication.verify),
    Route("replication/verification", replication.verification, _REPLICATION),
    Route("replication/backfills", backfills.overview, _REPLICATION, backfills.start),
    Route("replication/backfill", backfills.show, _REPLICATION, backfills.act),
    Route("findings", findings.overview, _SCANNING, findings.triage),
    Route("scans", findings.scans, _SCANNING),
    Route("scans/schedules", detectors.schedules, _SCANNING, detectors.change_schedules),
    Route("detectors", detectors.overview, _SCANNING),
    Route("detectors/new", detectors.new, _SCANNING, detectors.create),
    Route("detectors/{detector_id}", detectors.show, _SCANNING, detectors.change),
    Route("detectors/{detector_id}/test", detectors.ask_text, _SCANNING, detectors.try_out),
    Route("scans/compare", findings.compare, _SCANNING),
    Route("scans/new", findings.new_scan, _SCANNING, findings.start_scan),
    Route("scans/{job_id}", findings.scan, _SCANNING),
    Route("scans/{job_id}/progress", findings.scan_progress, _SCANNING),
    Route("scans/{job_id}/objects", findings.objects, _SCANNING),
    Route("scans/{job_id}/act", findings.back, _SCANNING, findings.act_on_scan),
    Route("requests", worklist.overview, _SAR),
    Route("requests/search", worklist.search, _SAR, worklist.found),
    Route("requests/new", requests.new, frozenset({Role.SAR_USER}), requests.create),
    Route("requests/{request_id}", requests.show, _SAR),
    Route("requests/{request_id}/decide", requests.confirm, _SAR, requests.decide),
    Route("requests/{request_id}/redact", redaction.show, _CASE_WORKERS, redaction.save),
    Route("requests/{request_id}/report", requests.report, _SAR),
    Route("requests/{request_id}/audit", requests.audit, frozenset({Role.SAR_SUPPORT, Role.SAR_ADMIN})),
    Route("services", services.overview, _CASE_WORKERS, services.act),
    Route("services/{service}", services.show, _SUPPORT, services.change),
    Route("identifiers", identifiers.look_up, _MINTING),
    Route("identifiers/mint", identifiers.confirm_minting, _MINTING, identifiers.mint),
    Route("identifiers/registry", identifiers.registry, _MINTING),
    Route("identifiers/{canonical_id}", identifiers.show, _MINTING, identifiers.change),
    Route("custody", custody.ask, _CUSTODY),
    Route("custody/file", custody.show, _CUSTODY),
    Route("custody/erase", custody.ask_erasure, _CUSTODY_ADMIN, custody.erase),
)

_BY_SHAPE: list[tuple[tuple[str, ...], Route]] = sorted(
    ((tuple(route.path.split("/")) if route.path else (), route) for route in ROUTES),
    key=lambda each: [part.startswith("{") for part in each[0]],
)


def route_of(segments: tuple[str, ...]) -> tuple[Route, dict[str, Any]]:
    """Return the page at a path, and the ids that its path names; a fixed word comes before an id.

    Raises
    ------
    PageError
        There is no such page.
    """
    for parts, route in _BY_SHAPE:
        if len(parts) == len(segments):
            ids: dict[str, Any] = {}
            for part, segment in zip(parts, segments, strict=True):
                if part.startswith("{"):
                    ids[part[1:-1]] = segment
                elif part != segment:
                    break
            else:
                return route, ids
    raise PageError(404, "Page not found", "If you typed the address, check that it is right.")
