"""A history as PREMIS 3 (https://www.loc.gov/standards/premis/v3/): objects, then events, then agents.

An object is a file in one state, known by the commitment that is sealed: what the log proves and what the document says
are tied by it. An identifier without a file is an intellectual entity. Characters that XML cannot hold stand
percent-encoded, as addresses have them.

The elements are written as text, which is several times as fast as a tree of objects; whatever an event says goes
through `_escaped`, and nothing else is put between tags.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from urllib.parse import quote

from pydantic import JsonValue

from waybill.custody.domain.tracing import TracedEvent, TracedState
from waybill.custody.domain.vocabulary import VOCABULARY, type_uri
from waybill.custody.models import EventType, StateReference

NAMESPACE = "http://www.loc.gov/premis/v3"
_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_STATE, _SUBJECT, _EVENT, _AGENT = "waybill-state", "waybill-subject", "waybill", "waybill"
# What XML cannot hold as it is: markup; a return, which readers make another character of (XML 1.0, section 2.11); and
# what no document may hold at all (section 2.2).
_SPECIAL = re.compile("[&<>\r\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"}
_UNKNOWN_FORMAT = "<format><formatDesignation><formatName>Unknown</formatName></formatDesignation></format>"
# What agents do, by their type.
_ROLES = {"software": "executing program", "person": "implementer"}


def document(events: Iterable[TracedEvent]) -> Iterator[str]:
    """Yield the document of a history of at least one event, part by part."""
    histories = _History()
    for event in events:
        histories.add(event)
    yield '<?xml version="1.0" encoding="UTF-8"?>\n'
    yield f'<premis xmlns="{NAMESPACE}" xmlns:xsi="{_XSI}" version="3.0">\n'
    for element in histories.elements():
        yield f"{element}\n"
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
        self._events: list[str] = []

    def add(self, event: TracedEvent) -> None:
        said, subject = event.said, event.event.leaf.pk
        references = event.event.states
        own = references[0].commitment if said.get("object") is not None and references else None
        link = _identifier("linkingEvent", _EVENT, event.event.leaf.id)
        for place, (reference, state) in enumerate(zip(references, event.states, strict=True)):
            commitment = reference.commitment
            mine = subject if place == 0 and own else None
            if commitment not in self._files or mine:
                self._files[commitment] = (mine, reference, state)
            if own and commitment != own:
                self._sources.setdefault(commitment, {})[own] = None
            self._linked.setdefault(commitment, []).append(link)
        if own is None:
            self._entities[subject] = None
            self._linked.setdefault(subject, []).append(link)
        elif isinstance(puids := _mapping(said.get("detail")).get("puids"), list):
            self._formats.setdefault(own, {}).update(dict.fromkeys(map(str, puids)))
        self._events.append(self._event(event, own))

    def elements(self) -> Iterator[str]:
        yield from (self._entity(subject) for subject in self._entities)
        yield from (self._file(commitment) for commitment in self._files)
        yield from self._events
        yield from (_agent(name, kind) for name, kind in self._agents.items())

    def _entity(self, subject: str) -> str:
        identifier, links = _identifier("object", _SUBJECT, subject), "".join(self._linked[subject])
        return f'<object xsi:type="intellectualEntity">{identifier}{links}</object>'

    def _file(self, commitment: str) -> str:
        subject, reference, state = self._files[commitment]
        address = address_of(state)
        parts = [_identifier("object", _STATE, commitment)]
        if subject:
            parts.append(_identifier("object", _SUBJECT, subject))
        if address:
            parts.append(_identifier("object", "s3", address))
        parts += ["<objectCharacteristics>", *_fixity(reference), self._format(commitment), "</objectCharacteristics>"]
        if address:
            type_, value = _element("contentLocationType", "s3"), _element("contentLocationValue", address)
            parts.append(f"<storage><contentLocation>{type_}{value}</contentLocation></storage>")
        for source in self._sources.get(commitment, ()):
            kinds = _element("relationshipType", "derivation") + _element("relationshipSubType", "has source")
            parts.append(f"<relationship>{kinds}{_identifier('relatedObject', _STATE, source)}</relationship>")
        links = "".join(self._linked[commitment])
        return f'<object xsi:type="file">{"".join(parts)}{links}</object>'

    def _format(self, commitment: str) -> str:
        # A file has at least one format by the schema, whether anybody knows it or not.
        registry = _element("formatRegistryName", "PRONOM")
        known = (_element("formatRegistryKey", puid) for puid in self._formats.get(commitment, ()))
        told = [f"<format><formatRegistry>{registry}{key}</formatRegistry></format>" for key in known]
        return "".join(told) or _UNKNOWN_FORMAT

    def _event(self, event: TracedEvent, own: str | None) -> str:
        said = event.said
        agent = _mapping(said.get("agent"))
        parts = [
            _identifier("event", _EVENT, event.event.leaf.id),
            _event_type(str(said["type"])),
            _element("eventDateTime", str(said["at"])),
            f"<eventDetailInformation>{_element('eventDetail', _told(said, agent))}</eventDetailInformation>",
            f"<eventOutcomeInformation>{_element('eventOutcome', str(said['outcome']))}</eventOutcomeInformation>",
        ]
        for kind, role in _ROLES.items():
            if isinstance(name := agent.get(kind), str):
                self._agents[name] = kind
                parts.append(_identifier("linkingAgent", _AGENT, name, role))
        if own is None:
            parts.append(_identifier("linkingObject", _SUBJECT, event.event.leaf.pk))
        for reference in event.event.states:
            role = "source" if reference.commitment == own else "outcome"
            parts.append(_identifier("linkingObject", _STATE, reference.commitment, role))
        return f"<event>{''.join(parts)}</event>"


def _told(said: Mapping[str, JsonValue], agent: Mapping[str, JsonValue]) -> str:
    """Return what else is known of an event, in one line."""
    details = {**_mapping(said.get("detail")), "run": agent.get("run"), "recordedAt": said.get("recordedAt")}
    return "; ".join([f"{name}={_shown(value)}" for name, value in details.items() if value is not None])


@lru_cache
def _event_type(name: str) -> str:
    uri, name = type_uri(EventType(name)), _escaped(name)
    known = f' authority="eventType" authorityURI="{VOCABULARY}" valueURI="{uri}"' if uri else ""
    return f"<eventType{known}>{name}</eventType>"


def _fixity(reference: StateReference) -> Iterator[str]:
    if reference.sha256:
        digest = _element("messageDigest", reference.sha256)
        yield f"<fixity>{_element('messageDigestAlgorithm', 'SHA-256')}{digest}</fixity>"
    if reference.size is not None:
        yield _element("size", str(reference.size))


def address_of(state: TracedState) -> str | None:
    """Return where a file is, as an address that XML can hold; None where its name was erased."""
    if state.place is None:
        return None
    key = quote(state.place.key.encode(errors="surrogatepass"), safe="/!$&'()*+,;=:@")
    version = f"?versionId={quote(state.version_id, safe='')}" if state.version_id else ""
    return f"s3://{state.place.bucket}/{key}{version}"


def _agent(name: str, kind: str) -> str:
    told = _element("agentName", name) + _element("agentType", kind)
    return f"<agent>{_identifier('agent', _AGENT, name)}{told}</agent>"


# Events of one history name the same few files and agents again and again.
@lru_cache(maxsize=1_024)
def _identifier(kind: str, type_: str, value: str, role: str | None = None) -> str:
    """Return an identifier; PREMIS names its parts after the thing that has it, or is linked by it."""
    name = f"{kind}Identifier"
    told = f"<{name}Type>{type_}</{name}Type><{name}Value>{_escaped(value)}</{name}Value>"
    if role:
        told += f"<{kind}Role>{role}</{kind}Role>"
    return f"<{name}>{told}</{name}>"


def _element(name: str, text: str) -> str:
    return f"<{name}>{_escaped(text)}</{name}>"


def _escaped(text: str) -> str:
    """Return a text as an element can hold it: the one place where what events say becomes XML."""
    return _SPECIAL.sub(_escaped_character, text)


def _escaped_character(found: re.Match[str]) -> str:
    return _ENTITIES.get(found[0]) or quote(found[0].encode(errors="surrogatepass"))


def _mapping(value: JsonValue) -> Mapping[str, JsonValue]:
    return value if isinstance(value, dict) else {}


def _shown(value: JsonValue) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
