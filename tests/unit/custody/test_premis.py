"""PREMIS 3, by what its schema demands: order, an object with a format, and links that lead somewhere."""

import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest

from tests.fakes.custody import Custody
from tests.fakes.premis import faults_of
from tests.unit.custody.samples import COPY, SHA256, UPLOAD, assigned, copied
from waybill.custody.domain.premis import NAMESPACE, document
from waybill.custody.domain.tracing import ByIdentifier, ByPlace
from waybill.custody.models import EventType, FileState, Happening, Place

NS = {"p": NAMESPACE}
TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
# The sequences of premis.xsd 3.0 (https://www.loc.gov/standards/premis/v3/premis.xsd), as far as they are used.
SEQUENCES = {
    "premis": ["object", "event", "agent"],
    "object": [
        *("objectIdentifier", "objectCharacteristics", "storage", "relationship", "linkingEventIdentifier"),
    ],
    "objectCharacteristics": ["fixity", "size", "format"],
    "fixity": ["messageDigestAlgorithm", "messageDigest"],
    "relationship": ["relationshipType", "relationshipSubType", "relatedObjectIdentifier"],
    "event": [
        *("eventIdentifier", "eventType", "eventDateTime", "eventDetailInformation", "eventOutcomeInformation"),
        *("linkingAgentIdentifier", "linkingObjectIdentifier"),
    ],
    "linkingAgentIdentifier": ["linkingAgentIdentifierType", "linkingAgentIdentifierValue", "linkingAgentRole"],
    "linkingObjectIdentifier": ["linkingObjectIdentifierType", "linkingObjectIdentifierValue", "linkingObjectRole"],
    "agent": ["agentIdentifier", "agentName", "agentType"],
}


def local(element: ET.Element) -> str:
    return element.tag.removeprefix(f"{{{NAMESPACE}}}")


def written(happened: list[Happening], asked: ByPlace | ByIdentifier) -> ET.Element:
    custody = Custody()
    custody.recorder.record(happened, [], "a")
    root = ET.fromstring("".join(document(custody.tracer.trace(asked, limit=100).events)))
    for element in root.iter():
        assert element.tag.startswith(f"{{{NAMESPACE}}}")
        order = SEQUENCES.get(local(element))
        if order:
            places = [order.index(local(child)) for child in element]
            assert places == sorted(places), local(element)
    assert root.get("version") == "3.0"
    assert faults_of(root) == []
    known = {
        (element.find(f"p:{kind}IdentifierType", NS).text, element.find(f"p:{kind}IdentifierValue", NS).text)  # type: ignore[union-attr]
        for kind in ("object", "event", "agent")
        for element in root.iter(f"{{{NAMESPACE}}}{kind}Identifier")
    }
    for kind in ("linkingAgent", "linkingObject", "linkingEvent", "relatedObject"):
        for element in root.iter(f"{{{NAMESPACE}}}{kind}Identifier"):
            assert (element[0].text, element[1].text) in known
    for file in root.findall("p:object", NS):
        if file.get(TYPE) == "file":
            assert file.findall("p:objectCharacteristics/p:format", NS)
    for event in root.findall("p:event", NS):
        assert event.findall("p:linkingAgentIdentifier", NS)
        assert event.findall("p:linkingObjectIdentifier", NS)
    return root


@pytest.mark.parametrize("type_", list(EventType))
def test_every_type_of_event_is_a_term_of_the_vocabulary_or_ours(type_: EventType) -> None:
    root = written([replace(copied(), type=type_)], ByPlace(UPLOAD.place))
    term = root.find("p:event/p:eventType", NS)
    assert term is not None
    assert term.text == type_.value
    assert (term.get("valueURI") is None) == (type_ is EventType.IDENTIFIER_ASSIGNMENT)


def test_a_copy_has_its_source_and_what_is_known_of_it() -> None:
    root = written([copied()], ByPlace(UPLOAD.place))
    files = root.findall("p:object", NS)
    copy = next(file for file in files if file.find("p:relationship", NS) is not None)
    assert len(files) == 2
    assert (
        copy.findtext("p:storage//p:contentLocationValue", "", NS) == "s3://copies-eu/reports/annual.pdf?versionId=v7"
    )
    assert copy.findtext(".//p:messageDigest", "", NS) == SHA256
    assert copy.findtext(".//p:size", "", NS) == str(COPY.size)
    assert copy.findtext(".//p:formatName", "", NS) == "Unknown"


def test_formats_are_named_by_their_keys_in_pronom() -> None:
    identified = replace(
        copied(), type=EventType.FORMAT_IDENTIFICATION, copies=(), detail={"puids": ["fmt/18", "fmt/19"]}
    )
    root = written([identified], ByPlace(UPLOAD.place))
    assert [key.text for key in root.iter(f"{{{NAMESPACE}}}formatRegistryKey")] == ["fmt/18", "fmt/19"]


def test_an_identifier_is_an_entity_without_a_file() -> None:
    root = written([assigned()], ByIdentifier("kx7dn2ph"))
    (entity,) = root.findall("p:object", NS)
    assert entity.get(TYPE) == "intellectualEntity"


@pytest.mark.parametrize("key", ["a/b#c%2F d", "é/😀", "x\u0001\n\u202e", "<&>\"'", "\ud800"])
def test_keys_with_any_character_are_addresses(key: str) -> None:
    state = FileState(Place("source", key), None, None, None)
    root = written([copied(1, state, FileState(Place("copies", key)))], ByPlace(state.place))
    addresses = {each.text for each in root.iter(f"{{{NAMESPACE}}}contentLocationValue")}
    assert len(addresses) == 2
    assert all(address and address.isascii() and " " not in address for address in addresses)


def test_what_was_erased_is_not_in_it() -> None:
    custody = Custody()
    custody.recorder.record([copied()], [], "a")
    traced = custody.tracer.trace(ByPlace(UPLOAD.place), limit=10)
    events = [replace(one, states=tuple(replace(state, place=None) for state in one.states)) for one in traced.events]
    text = "".join(document(events))
    assert "annual.pdf" not in text
    assert "s3://" not in text
