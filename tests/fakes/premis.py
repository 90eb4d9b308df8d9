"""What the schema of PREMIS 3.0 (Library of Congress, 18 January 2016) allows of the elements that Waybill writes.

The schema names no licence, so that its rules stand here as facts: which children an element
has, in which order and how often (as a regular expression), which elements are text, and which attributes they take.
"""

import re
from xml.etree import ElementTree as ET

NAMESPACE = "{http://www.loc.gov/premis/v3}"
XSI = "{http://www.w3.org/2001/XMLSchema-instance}"
_IDENTIFIED = ("object", "event", "agent")
_CHILDREN = {
    "premis": "object+ event* agent* rights*",
    "object file": "objectIdentifier+ preservationLevel* significantProperties* objectCharacteristics+ originalName? "
    "storage* signatureInformation* relationship* linkingEventIdentifier* linkingRightsStatementIdentifier*",
    "object intellectualEntity": "objectIdentifier+ preservationLevel* significantProperties* originalName? "
    "environmentFunction* environmentDesignation* environmentRegistry* environmentExtension* relationship* "
    "linkingEventIdentifier* linkingRightsStatementIdentifier*",
    "objectCharacteristics": "compositionLevel? fixity* size? format+ creatingApplication* inhibitors* "
    "objectCharacteristicsExtension*",
    "fixity": "messageDigestAlgorithm messageDigest messageDigestOriginator?",
    "format": "(formatDesignation formatRegistry? |formatRegistry )formatNote*",
    "formatDesignation": "formatName formatVersion?",
    "formatRegistry": "formatRegistryName formatRegistryKey formatRegistryRole?",
    "storage": "(contentLocation storageMedium? |storageMedium )",
    "contentLocation": "contentLocationType contentLocationValue",
    "relationship": "relationshipType relationshipSubType relatedObjectIdentifier+ relatedEventIdentifier* "
    "relatedEnvironmentPurpose* relatedEnvironmentCharacteristic?",
    "event": "eventIdentifier eventType eventDateTime eventDetailInformation* eventOutcomeInformation* "
    "linkingAgentIdentifier* linkingObjectIdentifier*",
    "eventDetailInformation": "eventDetail? eventDetailExtension*",
    "eventOutcomeInformation": "(eventOutcome eventOutcomeDetail* |eventOutcomeDetail+ )",
    "eventOutcomeDetail": "(eventOutcomeDetailNote eventOutcomeDetailExtension* |eventOutcomeDetailExtension+ )",
    "agent": "agentIdentifier+ agentName* agentType? agentVersion? agentNote* agentExtension* linkingEventIdentifier* "
    "linkingRightsStatementIdentifier* linkingEnvironmentIdentifier*",
    **{f"{name}Identifier": f"{name}IdentifierType {name}IdentifierValue" for name in _IDENTIFIED},
    "relatedObjectIdentifier": "relatedObjectIdentifierType relatedObjectIdentifierValue relatedObjectSequence?",
    "relatedEventIdentifier": "relatedEventIdentifierType relatedEventIdentifierValue relatedEventSequence?",
    "linkingAgentIdentifier": "linkingAgentIdentifierType linkingAgentIdentifierValue linkingAgentRole*",
    "linkingObjectIdentifier": "linkingObjectIdentifierType linkingObjectIdentifierValue linkingObjectRole*",
    "linkingEventIdentifier": "linkingEventIdentifierType linkingEventIdentifierValue",
}
_AUTHORITY = frozenset({"authority", "authorityURI", "valueURI"})
_WITH_AUTHORITY = frozenset(
    {"agentName", "agentType", "contentLocationType", "eventOutcome", "eventType", "formatName", "formatRegistryName"}
    | {"formatRegistryKey", "formatRegistryRole", "linkingAgentRole", "linkingObjectRole", "messageDigestAlgorithm"}
    | {"messageDigestOriginator", "relationshipType", "relationshipSubType", "storageMedium"}
    | {
        f"{name}IdentifierType"
        for name in ("agent", "event", "object", "linkingAgent", "linkingObject", "linkingEvent")
    }
    | {f"{name}IdentifierType" for name in ("relatedObject", "relatedEvent")}
)
_TEXT = frozenset(
    {"agentNote", "agentVersion", "contentLocationValue", "eventDetail", "eventOutcomeDetailNote", "formatNote"}
    | {"formatVersion", "messageDigest", "originalName", "eventDateTime", "size", "relatedObjectSequence"}
    | {
        f"{name}IdentifierValue"
        for name in ("agent", "event", "object", "linkingAgent", "linkingObject", "linkingEvent")
    }
    | {f"{name}IdentifierValue" for name in ("relatedObject", "relatedEvent")}
)
_OWN = {
    "premis": {"version", f"{XSI}schemaLocation"},
    **{name: {"xmlID", "version", f"{XSI}type"} for name in _IDENTIFIED},
}


def faults_of(root: ET.Element) -> list[str]:
    """Return what the schema does not allow of a document; nothing for a valid one."""
    found = [] if root.get("version") == "3.0" else ["a document says its version"]
    for element in root.iter():
        name = element.tag.removeprefix(NAMESPACE)
        kind = name if name != "object" else f"object {str(element.get(f'{XSI}type')).rpartition(':')[2]}"
        children = " ".join(child.tag.removeprefix(NAMESPACE) for child in element)
        if kind in _CHILDREN:
            if not _pattern(_CHILDREN[kind]).fullmatch(f"{children} "):
                found.append(f"{kind} holds {children}")
            if (element.text or "").strip():
                found.append(f"{kind} holds text")
        elif kind not in _TEXT | _WITH_AUTHORITY or children:
            found.append(f"{kind} is not allowed, or holds {children}")
        allowed = _OWN.get(name, set()) | (_AUTHORITY if name in _WITH_AUTHORITY else set())
        found += [f"{kind} has {attribute}" for attribute in sorted(set(element.keys()) - allowed)]
        if name == "size" and not (element.text or "").isdigit():
            found.append("a size is a number")
    return found


def _pattern(children: str) -> re.Pattern[str]:
    """Return the pattern of a list of names, each with a space behind it."""
    return re.compile(re.sub(r"([A-Za-z]+)([*+?]?) ?", r"(?:\1 )\2", children))
