"""The checks as PREMIS 3 events with their agents, about the files as objects.

PREMIS Data Dictionary 3.0 and its schema `http://www.loc.gov/premis/v3`: the order of elements is that of the schema.
Types of events are those of the Library of Congress's vocabulary, `http://id.loc.gov/vocabulary/preservation/eventType`.
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree as ET

from waybill.core.clock import iso
from waybill.core.text import escaped

_NAMESPACE = "http://www.loc.gov/premis/v3"
_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_SCHEMA = "http://www.loc.gov/standards/premis/v3/premis-v3-0.xsd"
_EVENT_TYPES = "http://id.loc.gov/vocabulary/preservation/eventType"
_PRONOM = "http://www.nationalarchives.gov.uk/PRONOM/"
_EVENT_NAMES = uuid.UUID("3c5b7a0e-6e5d-5b63-9a53-8f5f3a6a2b41")
_WAYBILL = "Waybill"


@dataclass(frozen=True)
class _EventType:
    """A term of the vocabulary, and the statuses that say how it ended."""

    code: str
    name: str
    statuses: Sequence[str]


_VIRUS_CHECK = _EventType("vir", "virus check", ("Antivirus",))
_DIGEST = _EventType("mes", "message digest calculation", ("ServerChecksum",))
_FIXITY = _EventType("fix", "fixity check", ("ChecksumMatch",))
_IDENTIFICATION = _EventType("for", "format identification", ("FFID",))
_EVENTS = (_DIGEST, _FIXITY, _VIRUS_CHECK, _IDENTIFICATION)


def premis_xml(consignment: Mapping[str, Any], files: Iterable[Mapping[str, Any]]) -> str:
    """Return the document of a consignment; a check that has no time has no event."""
    ET.register_namespace("premis", _NAMESPACE)
    ET.register_namespace("xsi", _XSI)
    location = {f"{{{_XSI}}}schemaLocation": f"{_NAMESPACE} {_SCHEMA}"}
    root = ET.Element(f"{{{_NAMESPACE}}}premis", {"version": "3.0", **location})
    events: list[ET.Element] = []
    agents: dict[str, ET.Element] = {}
    for file in sorted(files, key=lambda each: str(each["path"])):
        root.append(_object(file))
        events += _events(consignment, file, agents)
    if not len(root):
        root.append(_consignment(consignment))
    root.extend(events)
    root.extend(agents[name] for name in sorted(agents))
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _consignment(consignment: Mapping[str, Any]) -> ET.Element:
    """Return a consignment as an object: a document without any is not valid."""
    made = _element("object")
    made.set(f"{{{_XSI}}}type", "premis:intellectualEntity")
    _identifier(made, "objectIdentifier", "UUID", consignment["consignmentId"])
    _text(made, "originalName", escaped(str(consignment["reference"])))
    return made


def _object(file: Mapping[str, Any]) -> ET.Element:
    made = _element("object")
    made.set(f"{{{_XSI}}}type", "premis:file")
    _identifier(made, "objectIdentifier", "UUID", file["fileId"])
    facts = _element("objectCharacteristics", made)
    if checksum := file.get("checksum"):
        fixity = _element("fixity", facts)
        _text(fixity, "messageDigestAlgorithm", "SHA-256")
        _text(fixity, "messageDigest", checksum)
        _text(fixity, "messageDigestOriginator", _WAYBILL)
    _text(facts, "size", str(file.get("objectSize", file["size"])))
    matches = [match for match in (file.get("fileFormat") or {}).get("matches") or () if match.get("puid")]
    for match in matches or [{}]:
        _format(facts, match)
    if path := file["path"]:
        # XML has no way to write what cannot be seen, and a name must not change what stands around it.
        _text(made, "originalName", escaped(str(path)))
    return made


def _format(facts: ET.Element, match: Mapping[str, Any]) -> None:
    made = _element("format", facts)
    designation = _element("formatDesignation", made)
    _text(designation, "formatName", match.get("formatName") or "unknown")
    if version := match.get("formatVersion"):
        _text(designation, "formatVersion", version)
    if puid := match.get("puid"):
        registry = _element("formatRegistry", made)
        _text(registry, "formatRegistryName", "PRONOM", {"authorityURI": _PRONOM})
        _text(registry, "formatRegistryKey", puid, {"valueURI": f"{_PRONOM}{puid}"})
        _text(registry, "formatRegistryRole", "specification")
    if match.get("extensionOnly"):
        _text(made, "formatNote", "by its extension alone")


def _events(
    consignment: Mapping[str, Any], file: Mapping[str, Any], agents: dict[str, ET.Element]
) -> Iterable[ET.Element]:
    moment = (file.get("antivirus") or {}).get("datetime")
    if moment is None:
        return []
    at = iso(datetime.fromtimestamp(moment / 1000, UTC))
    explanations = {each["statusName"]: each for each in file["explanations"]}
    made = []
    for kind in _EVENTS:
        told = [explanations[name] for name in kind.statuses if name in explanations]
        if told:
            made.append(_event(kind, consignment, file, at, told[0], _agents(kind, file, agents)))
    return made


def _event(
    kind: _EventType,
    consignment: Mapping[str, Any],
    file: Mapping[str, Any],
    at: str,
    told: Mapping[str, Any],
    made_by: Sequence[str],
) -> ET.Element:
    made = _element("event")
    run = f"{consignment['consignmentId']}/{file['fileId']}/{file.get('run')}/{kind.code}"
    _identifier(made, "eventIdentifier", "UUID", str(uuid.uuid5(_EVENT_NAMES, run)))
    _vocabulary(made, "eventType", "eventType", _EVENT_TYPES, kind.code, kind.name)
    _text(made, "eventDateTime", at)
    _text(_element("eventDetailInformation", made), "eventDetail", f"{kind.name} of run {file.get('run')}")
    outcome = _element("eventOutcomeInformation", made)
    _text(outcome, "eventOutcome", told["value"])
    detail = _element("eventOutcomeDetail", outcome)
    _text(detail, "eventOutcomeDetailNote", escaped(f"{told['sentence']} {told.get('detail') or ''}".strip()))
    for agent in made_by:
        linked = _element("linkingAgentIdentifier", made)
        _text(linked, "linkingAgentIdentifierType", "local")
        _text(linked, "linkingAgentIdentifierValue", agent)
        _text(linked, "linkingAgentRole", "executing program")
    about = _element("linkingObjectIdentifier", made)
    _text(about, "linkingObjectIdentifierType", "UUID")
    _text(about, "linkingObjectIdentifierValue", file["fileId"])
    return made


def _agents(kind: _EventType, file: Mapping[str, Any], agents: dict[str, ET.Element]) -> list[str]:
    """Return the ids of the agents that have made an event of a file; they are among `agents` then."""
    check = {_VIRUS_CHECK: "antivirus", _IDENTIFICATION: "fileFormat"}.get(kind, "")
    result = file.get(check) or {}
    return [_agent(each, agents) for each in result.get("engines") or [result]]


def _agent(result: Mapping[str, Any], agents: dict[str, ET.Element]) -> str:
    name = str(result.get("software") or _WAYBILL)
    version = str(result.get("softwareVersion") or "")
    notes = [
        f"{field}: {result[field]}"
        for field in ("databaseVersion", "binarySignatureFileVersion", "containerSignatureFileVersion")
        if result.get(field)
    ]
    if result.get("demonstrationRules"):
        notes.append("the demonstration rules of the project, which are no protection against malware")
    identifier = " ".join(filter(None, (name, version, *notes[:2])))
    if identifier not in agents:
        made = agents[identifier] = _element("agent")
        _identifier(made, "agentIdentifier", "local", identifier)
        _text(made, "agentName", name)
        _text(made, "agentType", "software")
        if version:
            _text(made, "agentVersion", version)
        for note in notes:
            _text(made, "agentNote", note)
    return identifier


def _vocabulary(parent: ET.Element, name: str, authority: str, uri: str, code: str, term: str) -> None:
    _text(parent, name, term, {"authority": authority, "authorityURI": uri, "valueURI": f"{uri}/{code}"})


def _identifier(parent: ET.Element, name: str, kind: str, value: str) -> None:
    made = _element(name, parent)
    _text(made, f"{name}Type", kind)
    _text(made, f"{name}Value", value)


def _element(name: str, parent: ET.Element | None = None) -> ET.Element:
    tag = f"{{{_NAMESPACE}}}{name}"
    return ET.Element(tag) if parent is None else ET.SubElement(parent, tag)


def _text(parent: ET.Element, name: str, text: object, attributes: Mapping[str, str] | None = None) -> None:
    made = _element(name, parent)
    made.text = str(text)
    for attribute, value in (attributes or {}).items():
        made.set(attribute, value)
