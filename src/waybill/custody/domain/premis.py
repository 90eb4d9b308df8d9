"""A history as PREMIS 3 (https://www.loc.gov/standards/premis/v3/): objects, then events, then agents.

An object is a file in one state, known by the commitment that is sealed: what the log proves and what the document says
are tied by it. An identifier without a file is an intellectual entity. Characters that XML cannot hold stand
percent-encoded, as addresses have them.
"""

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import quote

from pydantic import JsonValue

from waybill.custody.domain.tracing import TracedEvent, TracedState
from waybill.custody.domain.vocabulary import VOCABULARY, type_uri
from waybill.custody.models import EventType, StateReference

NAMESPACE = "http://www.loc.gov/premis/v3"
_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_STATE, _SUBJECT, _EVENT, _AGENT = "waybill-state", "waybill-subject", "waybill", "waybill"
# XML 1.0, section 2.2: all that a document may hold besides these.
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_UNKNOWN_FORMAT = "Unknown"
# What agents do, by their type.
_ROLES = {"software": "executing program", "person": "implementer"}

type Element = ET.Element


def document(events: Iterable[TracedEvent]) -> Iterator[str]:
    """Yield the document of a history of at least one event, part by part."""
    histories = _History()
    for event in events:
        histories.add(event)
    yield '<?xml version="1.0" encoding="UTF-8"?>\n'
    yield f'<premis xmlns="{NAMESPACE}" xmlns:xsi="{_XSI}" version="3.0">\n'
    for element in histories.elements():
        yield ET.tostring(element, encoding="unicode") + "\n"
    yield "</premis>\n"


class _History:
    """What a document is made of, each thing once."""

    def __init__(self) -> None:
        self._files: dict[str, tuple[str | None, StateReference, TracedState]] = {}
        self._entities: dict[str, None] = {}
        self._sources: dict[str, dict[str, None]] = {}
        self._formats: dict[str, dict[str, None]] = {}
        self._linked: dict[str, list[str]] = {}
        self._agents: dict[str, str] = {}
        self._events: list[Element] = []

    def add(self, event: TracedEvent) -> None:
        said, subject = event.said, event.event.leaf.pk
        references = event.event.states
        own = references[0].commitment if said.get("object") is not None and references else None
        for place, (reference, state) in enumerate(zip(references, event.states, strict=True)):
            commitment = reference.commitment
            mine = subject if place == 0 and own else None
            if commitment not in self._files or mine:
                self._files[commitment] = (mine, reference, state)
            if own and commitment != own:
                self._sources.setdefault(commitment, {})[own] = None
            self._linked.setdefault(commitment, []).append(event.event.leaf.id)
        if own is None:
            self._entities[subject] = None
            self._linked.setdefault(subject, []).append(event.event.leaf.id)
        elif isinstance(puids := _mapping(said.get("detail")).get("puids"), list):
            self._formats.setdefault(own, {}).update(dict.fromkeys(map(str, puids)))
        self._events.append(self._event(event, own))

    def elements(self) -> Iterator[Element]:
        yield from (self._entity(subject) for subject in self._entities)
        yield from (self._file(commitment) for commitment in self._files)
        yield from self._events
        yield from (_agent(name, kind) for name, kind in self._agents.items())

    def _entity(self, subject: str) -> Element:
        entity = _element("object")
        entity.set("xsi:type", "intellectualEntity")
        _identifier(entity, "object", _SUBJECT, subject)
        self._link_events(entity, subject)
        return entity

    def _file(self, commitment: str) -> Element:
        subject, reference, state = self._files[commitment]
        file = _element("object")
        file.set("xsi:type", "file")
        _identifier(file, "object", _STATE, commitment)
        if subject:
            _identifier(file, "object", _SUBJECT, subject)
        address = address_of(state)
        if address:
            _identifier(file, "object", "s3", address)
        characteristics = _element("objectCharacteristics", file)
        if reference.sha256:
            fixity = _element("fixity", characteristics)
            _element("messageDigestAlgorithm", fixity, "SHA-256")
            _element("messageDigest", fixity, reference.sha256)
        if reference.size is not None:
            _element("size", characteristics, str(reference.size))
        self._add_formats(characteristics, commitment)
        if address:
            location = _element("contentLocation", _element("storage", file))
            _element("contentLocationType", location, "s3")
            _element("contentLocationValue", location, address)
        for source in self._sources.get(commitment, ()):
            relationship = _element("relationship", file)
            _element("relationshipType", relationship, "derivation")
            _element("relationshipSubType", relationship, "has source")
            _identifier(relationship, "relatedObject", _STATE, source)
        self._link_events(file, commitment)
        return file

    def _add_formats(self, characteristics: Element, commitment: str) -> None:
        # A file has at least one format by the schema, whether anybody knows it or not.
        for puid in self._formats.get(commitment) or [None]:
            format_ = _element("format", characteristics)
            if puid is None:
                _element("formatName", _element("formatDesignation", format_), _UNKNOWN_FORMAT)
            else:
                registry = _element("formatRegistry", format_)
                _element("formatRegistryName", registry, "PRONOM")
                _element("formatRegistryKey", registry, puid)

    def _link_events(self, thing: Element, name: str) -> None:
        for id_ in self._linked[name]:
            _identifier(thing, "linkingEvent", _EVENT, id_)

    def _event(self, event: TracedEvent, own: str | None) -> Element:
        said, type_ = event.said, EventType(str(event.said["type"]))
        element = _element("event")
        _identifier(element, "event", _EVENT, event.event.leaf.id)
        term = _element("eventType", element, type_.value)
        if uri := type_uri(type_):
            term.set("authority", "eventType")
            term.set("authorityURI", VOCABULARY)
            term.set("valueURI", uri)
        _element("eventDateTime", element, str(said["at"]))
        agent = _mapping(said.get("agent"))
        details = {**_mapping(said.get("detail")), "run": agent.get("run"), "recordedAt": said.get("recordedAt")}
        told = "; ".join(f"{name}={_shown(value)}" for name, value in details.items() if value is not None)
        _element("eventDetail", _element("eventDetailInformation", element), told)
        _element("eventOutcome", _element("eventOutcomeInformation", element), str(said["outcome"]))
        for kind, role in _ROLES.items():
            if isinstance(name := agent.get(kind), str):
                self._agents[name] = kind
                _element("linkingAgentRole", _identifier(element, "linkingAgent", _AGENT, name), role)
        if own is None:
            _identifier(element, "linkingObject", _SUBJECT, event.event.leaf.pk)
        for reference in event.event.states:
            role = "source" if reference.commitment == own else "outcome"
            _element("linkingObjectRole", _identifier(element, "linkingObject", _STATE, reference.commitment), role)
        return element


def address_of(state: TracedState) -> str | None:
    """Return where a file is, as an address that XML can hold; None where its name was erased."""
    if state.place is None:
        return None
    key = quote(state.place.key.encode(errors="surrogatepass"), safe="/!$&'()*+,;=:@")
    version = f"?versionId={quote(state.version_id, safe='')}" if state.version_id else ""
    return f"s3://{state.place.bucket}/{key}{version}"


def _agent(name: str, kind: str) -> Element:
    agent = _element("agent")
    _identifier(agent, "agent", _AGENT, name)
    _element("agentName", agent, name)
    _element("agentType", agent, kind)
    return agent


def _identifier(parent: Element, kind: str, type_: str, value: str) -> Element:
    """Add an identifier; PREMIS names its two parts after the thing that has it, or is linked by it."""
    identifier = _element(f"{kind}Identifier", parent)
    _element(f"{kind}IdentifierType", identifier, type_)
    _element(f"{kind}IdentifierValue", identifier, value)
    return identifier


def _element(name: str, parent: Element | None = None, text: str | None = None) -> Element:
    element = ET.Element(name) if parent is None else ET.SubElement(parent, name)
    if text is not None:
        element.text = _NOT_XML.sub(lambda found: quote(found[0].encode(errors="surrogatepass")), text)
    return element


def _mapping(value: JsonValue) -> Mapping[str, JsonValue]:
    return value if isinstance(value, dict) else {}


def _shown(value: JsonValue) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
