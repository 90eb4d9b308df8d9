"""Addresses of the terms: the PREMIS event type vocabulary of the Library of Congress, 50 terms, and one of our own."""

from waybill.custody.models import EventType

VOCABULARY = "http://id.loc.gov/vocabulary/preservation/eventType"
# As in the vocabulary, read on https://github.com/ruby-rdf/rdf-vocab (lib/rdf/vocab/premiseventtype.rb).
_CODES = {
    EventType.ACCESSION: "acc",
    EventType.CREATION: "cre",
    EventType.DELETION: "del",
    EventType.DISSEMINATION: "dis",
    EventType.FIXITY_CHECK: "fix",
    EventType.FORENSIC_FEATURE_ANALYSIS: "ffa",
    EventType.FORMAT_IDENTIFICATION: "for",
    EventType.INGESTION_START: "ins",
    EventType.MESSAGE_DIGEST_CALCULATION: "mes",
    EventType.METADATA_MODIFICATION: "mem",
    EventType.POLICY_ASSIGNMENT: "poa",
    EventType.QUARANTINE: "qua",
    EventType.RECOVERY: "rec",
    EventType.REPLICATION: "rep",
    EventType.VALIDATION: "val",
    EventType.VIRUS_CHECK: "vir",
}


def type_uri(type_: EventType) -> str | None:
    """Return the address of a term; None for Waybill's own, which the vocabulary does not have."""
    return f"{VOCABULARY}/{_CODES[type_]}" if type_ in _CODES else None
