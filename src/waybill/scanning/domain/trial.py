"""Trying a detector or an allow list on a text, which is scanned as plain text and kept nowhere."""

import io
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from waybill.core.errors import NotFoundError
from waybill.scanning.domain.detection.columns import Columns
from waybill.scanning.domain.detection.engine import Engine
from waybill.scanning.domain.detection.models import Finding, Match
from waybill.scanning.domain.detection.rules import Detector, detectors
from waybill.scanning.domain.detection.scanner import Checkpoint, ObjectScanner
from waybill.scanning.domain.own_detectors import OwnDetectors, proved, rules_of
from waybill.scanning.request_models import DetectorRequest

_SHOWN = 100


@dataclass(frozen=True)
class Trial:
    """What was found in a text, the first of `total`; `allowed` counts values that an allow list lets pass."""

    findings: Sequence[Finding]
    total: int
    allowed: int


def tried(name: str, text: str, known: OwnDetectors, draft: DetectorRequest | None = None) -> Trial:
    """Return what a detector finds in a text, tried alone; of an allow list, what it leaves of what it is for.

    Parameters
    ----------
    draft
        A definition that is not saved; it counts in place of the one of this id.

    Raises
    ------
    NotFoundError
        There is no such detector.
    InvalidInputError
        The draft is refused; says why.
    """
    definitions = {each.id: each.definition for each in known.listed()}
    if draft is not None:
        definitions[name] = proved(name, draft)
    rules = rules_of(tuple(sorted(definitions.items())))
    allowed = 0

    def allows(match: Match) -> bool:
        nonlocal allowed
        is_allowed = rules.allows(match)
        allowed += is_allowed
        return is_allowed

    engine, content = Engine(_judges(name, (*detectors(), *rules.detectors), draft, known)), text.encode()
    scanner = ObjectScanner(engine, secrets.token_bytes(32), cap=_SHOWN, allows=allows)
    headings = Columns.of(content, engine.detectors)
    # Text, whatever it begins with: nothing in it is unpacked.
    as_text = Checkpoint(0, line=1, column=1, encoding="utf-8", columns=headings.state() if headings else {})
    report = scanner.scan(io.BytesIO(content).read, resume=as_text)
    return Trial(report.findings[:_SHOWN], report.counts.total(), allowed)


def _judges(
    name: str, every: tuple[Detector, ...], draft: DetectorRequest | None, known: OwnDetectors
) -> tuple[Detector, ...]:
    """Return the detector of this name; of an allow list, those whose values it lets pass."""
    if found := tuple(each for each in every if each.id == name):
        return found
    definition = draft or DetectorRequest.model_validate_json(known.find(name).definition)
    if definition.allows is None:
        raise NotFoundError("there is no such detector")
    wanted = definition.allows.detectors
    return tuple(each for each in every if not wanted or each.id in wanted)
