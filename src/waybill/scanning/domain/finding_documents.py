"""Findings as documents: as a table keeps them, as answers and reports show them."""

from typing import NotRequired, TypedDict


class FindingDocument(TypedDict):
    """A finding, masked; what it is in is a `file` of this machine, or the object `key` of a job.

    `state` is what people say of its value now. What holds nothing is absent.
    """

    detector: str
    confidence: str
    byte_offset: int
    byte_length: int
    line: int
    column: int
    masked_match: str
    context: str
    fingerprint: str
    sample: NotRequired[bool]
    decoded_from: NotRequired[list[str]]
    member: NotRequired[str]
    cell: NotRequired[str]
    file: NotRequired[str]
    id: NotRequired[str]
    job_id: NotRequired[str]
    bucket: NotRequired[str]
    key: NotRequired[str]
    created_at: NotRequired[str]
    state: NotRequired[str]


class StoredFinding(FindingDocument):
    """An item of the table: `sk` is its place among the findings of its job."""

    sk: str
