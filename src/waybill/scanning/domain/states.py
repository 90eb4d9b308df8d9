"""What the states of the workflow are given, and what they return, where it is not the workflow's whole state."""

from collections.abc import Mapping
from typing import TypedDict


class FailedListing(TypedDict):
    """A job, and what Step Functions caught: `{Error, Cause}`."""

    job_id: str
    failure: Mapping[str, object]


class ClosedJob(TypedDict):
    """A job with the status that it has now, and whether people were told of its end now."""

    job_id: str
    status: str
    notified: bool
