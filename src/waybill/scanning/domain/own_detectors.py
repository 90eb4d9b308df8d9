"""Detectors and allow lists of a stack's own: proved when they are given, used by the next job."""

import hashlib
import json
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any, Protocol

from waybill.core.clock import iso
from waybill.core.errors import ConflictError, FieldError, InvalidInputError, NotFoundError
from waybill.core.executions import stable_json
from waybill.core.retry import CONTENTION
from waybill.scanning.domain.detection.engine import Engine
from waybill.scanning.domain.detection.gates import StandardGate, fastest_gate
from waybill.scanning.domain.detection.models import Match
from waybill.scanning.domain.detection.pattern_limits import check_pattern
from waybill.scanning.domain.detection.pattern_speed import check_speed
from waybill.scanning.domain.detection.proof import prove
from waybill.scanning.domain.detection.rules import Detector, detector_of, detectors
from waybill.scanning.domain.schedules import Schedule
from waybill.scanning.errors import DetectorError
from waybill.scanning.request_models import DetectorRequest

MOST = 50
DEFINITION_BYTES = 50_000
NO_DETECTOR = "is not a detector"
# What a mask may show of a value; the whole is shown of none.
_FIELD, _MASK_FIELDS = re.compile(r"\{(\w+)\}"), frozenset({"first2", "first4", "last2", "last4", "prefix"})


@dataclass(frozen=True)
class OwnDetector:
    """A definition as it is stored: JSON in the format of the shipped ones; `deleted` that it counts no more."""

    id: str
    definition: str
    version: int
    by: str
    at: str
    deleted: bool = False

    @property
    def finds(self) -> bool:
        """Whether it finds something: an allow list alone does not."""
        return bool(json.loads(self.definition).get("rules"))


class Definitions(Protocol):
    """Where definitions are kept."""

    def all(self) -> Sequence[OwnDetector]:
        """Return every definition, those that are deleted too."""
        ...

    def versions(self, wanted: Mapping[str, int]) -> Sequence[OwnDetector]:
        """Return the versions that are wanted, by id, of those that there are."""
        ...

    def save(self, definition: OwnDetector) -> bool:
        """Store a version; False where that version is there already."""
        ...


@dataclass(frozen=True)
class Allowed:
    """Values that are none: texts as they are written, and patterns of whole values; no `detectors`, all of them."""

    texts: frozenset[bytes]
    patterns: tuple[re.Pattern[bytes], ...]
    detectors: frozenset[str]

    def covers(self, match: Match) -> bool:
        """Return whether a value is on the list."""
        if self.detectors and match.detector not in self.detectors:
            return False
        return match.value in self.texts or any(pattern.fullmatch(match.value) for pattern in self.patterns)


@dataclass(frozen=True)
class OwnRules:
    """What the definitions of a stack come to; `version` is another for other definitions, empty without any.

    Rules of one version are equal: engines are kept by it.
    """

    detectors: tuple[Detector, ...] = field(default=(), compare=False)
    allowed: tuple[Allowed, ...] = field(default=(), compare=False)
    version: str = ""

    def allows(self, match: Match) -> bool:
        """Return whether a value is on an allow list."""
        return any(each.covers(match) for each in self.allowed)


class PinnedRules:
    """The rules of jobs: those that counted when a job was made, whatever is defined or deleted while it runs."""

    def __init__(self, definitions: Definitions) -> None:
        self._definitions = definitions
        self._known: dict[tuple[tuple[str, int], ...], OwnRules] = {}

    def of(self, versions: Mapping[str, int]) -> OwnRules:
        """Return what these versions, by id, come to; each is read once, since a version never changes.

        Raises
        ------
        NotFoundError
            A version is not there: without it the job would find less, and say that it was complete.
        """
        pinned = tuple(sorted(versions.items()))
        if pinned not in self._known:
            found = {each.id: each.definition for each in self._definitions.versions(versions)} if pinned else {}
            if missing := versions.keys() - found.keys():
                raise NotFoundError(f"version {versions[min(missing)]} of detector {min(missing)} is not there")
            self._known = {pinned: rules_of(tuple(sorted(found.items())))}
        return self._known[pinned]


class _Schedules(Protocol):
    def all(self) -> Sequence[Schedule]: ...


@dataclass(frozen=True)
class OwnDetectors:
    """What the API and the commands do with the definitions of a stack."""

    definitions: Definitions
    now: Callable[[], datetime]
    schedules: _Schedules

    def listed(self) -> list[OwnDetector]:
        """Return the definitions that count, by their ids."""
        return sorted((each for each in self.definitions.all() if not each.deleted), key=lambda each: each.id)

    def counting(self) -> dict[str, int]:
        """Return the versions that count now, by id: a job that is made now is scanned by them to its end."""
        return {each.id: each.version for each in self.listed()}

    def find(self, name: str) -> OwnDetector:
        """Return a definition; raises NotFoundError."""
        for each in self.listed():
            if each.id == name:
                return each
        raise NotFoundError("there is no such detector")

    def put(self, name: str, request: DetectorRequest, subject: str) -> OwnDetector:
        """Prove a definition, and store it as the next version of its id.

        Raises
        ------
        InvalidInputError
            It is refused, or its list is for values of a detector that there is not; says why.
        ConflictError
            There are as many as there may be, or others change it all the time.
        """
        text = proved(name, request)
        for _ in CONTENTION.attempts():
            known = {each.id: each for each in self.definitions.all()}
            _check_allowed(request, {name, *(each.id for each in known.values() if not each.deleted)})
            if name not in known and sum(not each.deleted for each in known.values()) >= MOST:
                raise ConflictError(f"there are {MOST} detectors of your own already")
            version = known[name].version + 1 if name in known else 1
            saved = OwnDetector(name, text, version, subject, iso(self.now()))
            if self.definitions.save(saved):
                return saved
        raise ConflictError("others are changing this detector; try again")

    def delete(self, name: str, subject: str) -> OwnDetector:
        """Let a definition count no more.

        Raises
        ------
        NotFoundError
            There is none.
        ConflictError
            A schedule names it, whose scans would find nothing and say that they were complete; or others change it.
        """
        found = self.find(name)
        if any(name in (each.request.detectors or ()) for each in self.schedules.all()):
            raise ConflictError("a schedule scans for this detector: delete the schedule first")
        gone = OwnDetector(name, found.definition, found.version + 1, subject, iso(self.now()), deleted=True)
        if not self.definitions.save(gone):
            raise ConflictError("others are changing this detector; try again")
        return found


def proved(name: str, request: DetectorRequest) -> str:
    """Return a definition as it is stored, if it does what its own examples say; raises InvalidInputError."""
    if name in {detector.id for detector in detectors()}:
        raise InvalidInputError(FieldError("id", "is the id of a detector that Waybill brings"))
    text = stable_json(request.model_dump(mode="json", exclude_none=True, exclude_defaults=True))
    if len(text.encode()) > DEFINITION_BYTES:
        raise InvalidInputError(FieldError("rules", f"with everything else, at most {DEFINITION_BYTES} bytes"))
    if not request.rules and request.allows is None:
        raise InvalidInputError(FieldError("rules", "or allows must be there"))
    try:
        for pattern in request.allows.patterns if request.allows else ():
            check_pattern(pattern)
        for rule in request.rules:
            for pattern in (rule.pattern, *rule.gates):
                check_pattern(pattern, least=1)
        if request.rules:
            _prove(detector_of(_entry(name, text)))
    except DetectorError as error:
        raise InvalidInputError(FieldError("rules", str(error))) from None
    return text


def _check_allowed(request: DetectorRequest, own: Collection[str]) -> None:
    names = request.allows.detectors if request.allows else ()
    known = {*own, *(each.id for each in detectors())} if names else own
    unknown = [FieldError(f"allows.detectors[{at}]", NO_DETECTOR) for at, name in enumerate(names) if name not in known]
    if unknown:
        raise InvalidInputError(*unknown)


def _prove(detector: Detector) -> None:
    if unknown := set(_FIELD.findall(detector.mask)) - _MASK_FIELDS:
        raise DetectorError(f"a mask does not have {sorted(unknown)[0]}")
    if {"finds" in example for example in detector.examples} != {True, False}:
        raise DetectorError("examples must be there of what is found and of what is not")
    values = [str(example["finds"]).encode() for example in detector.examples if "finds" in example]
    for rule in detector.rules:
        check_speed(rule.pattern, values)
    for gate in (fastest_gate, StandardGate):
        try:
            engine = Engine((detector,), gate)
        except DetectorError:
            raise
        except Exception:
            # A gate that one of the engines does not take.
            raise DetectorError("a gate that not both engines take") from None
        prove(engine)


def descriptions(own: Iterable[OwnDetector]) -> dict[str, str]:
    """Return what each detector finds, by id: of those that Waybill brings, and of the stack's own."""
    brought = {each.id: each.description for each in detectors()}
    return brought | {each.id: str(json.loads(each.definition)["description"]) for each in own}


@lru_cache(maxsize=8)
def rules_of(definitions: tuple[tuple[str, str], ...]) -> OwnRules:
    """Return what definitions (id and text) come to."""
    if not definitions:
        return OwnRules()
    made, allowed = list[Detector](), list[Allowed]()
    for name, text in definitions:
        document = json.loads(text)
        if document.get("rules"):
            made.append(detector_of(_entry(name, text)))
        if allows := document.get("allows"):
            # The list of a detector is for its own values, where it does not name others.
            own = (name,) if document.get("rules") else ()
            allowed.append(_allowed(allows, allows.get("detectors") or own))
    version = hashlib.sha256(stable_json(dict(definitions)).encode()).hexdigest()[:16]
    return OwnRules(tuple(made), tuple(allowed), version)


def _allowed(document: Mapping[str, Any], names: Iterable[str]) -> Allowed:
    patterns = tuple(re.compile(pattern.encode("ascii")) for pattern in document.get("patterns", ()))
    return Allowed(frozenset(text.encode() for text in document.get("texts", ())), patterns, frozenset(names))


def _entry(name: str, text: str) -> dict[str, Any]:
    defaults: dict[str, Any] = {"keywords": [], "mask": "****", "validator": "anything", "examples": []}
    return {**defaults, **json.loads(text), "id": name}
