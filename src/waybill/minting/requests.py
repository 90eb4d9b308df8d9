"""What may be asked for: the rules of a request, in the order in which the first broken one is told."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from waybill.minting.errors import InvalidRequestError

DEFAULT_CAP = 100


class Mode(StrEnum):
    """What a success means: the identifier exists, or the document that it names is stored with its identifiers."""

    IDENTIFIERS = "identifiers"
    DOCUMENTS = "documents"


@dataclass(frozen=True)
class MintRequest:
    """A valid request: distinct identifiers, white space at their ends removed, in the order of first sight."""

    source_identifiers: tuple[str, ...]
    job_id: str | None = None
    predecessors: Mapping[str, str] = field(default_factory=dict)
    mode: Mode = Mode.IDENTIFIERS


def parse_request(payload: object, cap: int | None = DEFAULT_CAP) -> MintRequest:
    """Return the request that `payload` (decoded JSON) makes; `cap` is the most entries it may have, None for any.

    Raises
    ------
    InvalidRequestError
        A rule is broken; the message is exact.
    """
    if not isinstance(payload, Mapping):
        raise InvalidRequestError("the request must be a JSON object")
    job_id = payload.get("jobId")
    echoed = job_id if isinstance(job_id, str) else None
    try:
        identifiers = parse_identifiers(payload, cap)
        if job_id is not None and not isinstance(job_id, str):
            raise InvalidRequestError("jobId must be a string")
        if echoed is not None and not echoed.strip():
            raise InvalidRequestError("jobId cannot be empty")
        return MintRequest(
            identifiers, echoed, _predecessors(payload.get("predecessors"), identifiers), parse_mode(payload)
        )
    except InvalidRequestError as error:
        raise InvalidRequestError(str(error), echoed) from None


def parse_identifiers(payload: Mapping[str, Any], cap: int | None) -> tuple[str, ...]:
    """Return the identifiers of a request; raises as `parse_request`."""
    given = payload.get("sourceIdentifiers")
    if "sourceIdentifiers" not in payload:
        raise InvalidRequestError("sourceIdentifiers is required")
    if not isinstance(given, Sequence) or isinstance(given, str | bytes):
        raise InvalidRequestError("sourceIdentifiers must be an array of strings")
    if not given:
        raise InvalidRequestError("sourceIdentifiers cannot be empty")
    if not all(isinstance(entry, str) for entry in given):
        raise InvalidRequestError("sourceIdentifiers must contain only strings")
    trimmed = [str(entry).strip() for entry in given]
    if not all(trimmed):
        raise InvalidRequestError("sourceIdentifiers cannot contain empty strings")
    if cap is not None and len(trimmed) > cap:
        raise InvalidRequestError(f"sourceIdentifiers cannot contain more than {cap} items")
    return tuple(dict.fromkeys(trimmed))


def parse_mode(payload: Mapping[str, Any]) -> Mode:
    """Return the mode of a request; raises as `parse_request`."""
    mode = payload.get("mode") or Mode.IDENTIFIERS
    if mode not in list(Mode):
        raise InvalidRequestError(f"mode must be one of: {', '.join(Mode)}")
    return Mode(mode)


def _predecessors(given: object, identifiers: Sequence[str]) -> dict[str, str]:
    if given is None:
        return {}
    if not isinstance(given, Mapping) or not all(isinstance(each, str) for each in [*given, *given.values()]):
        raise InvalidRequestError("predecessors must be an object of strings")
    trimmed = {str(source).strip(): str(before).strip() for source, before in given.items()}
    if not all(trimmed.values()):
        raise InvalidRequestError("predecessors cannot contain empty strings")
    unknown = next((source for source in trimmed if source not in set(identifiers)), None)
    if unknown is not None:
        # A wrong name here would mint a fresh identifier where one should have been inherited, for good.
        raise InvalidRequestError(f"predecessors names an identifier that is not in sourceIdentifiers: {unknown}")
    return trimmed
