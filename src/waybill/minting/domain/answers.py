"""From a request to its answer: every distinct identifier once, in `successes` or in `failures`."""

import json
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, replace
from typing import Protocol, cast

from waybill.minting.domain.minter import Minter
from waybill.minting.domain.requests import DEFAULT_CAP, EARLIER_REFUSED, MintRequest, Mode, parse_request
from waybill.minting.domain.source_ids import NO_STRING, examine
from waybill.minting.errors import InvalidIdentifierError, InvalidRequestError
from waybill.minting.models import (
    FailureCode,
    FailureDocument,
    Minted,
    MintResponse,
    Note,
    NotedIdentifier,
    NotMinted,
    Outcome,
    SourceId,
    WantedIdentifier,
)

_SHOWN_CHARACTERS = 200


class RequestMinter(Protocol):
    """Finds the outcome of every identifier of a request, in its order."""

    def outcomes(self, request: MintRequest) -> Mapping[str, Outcome]: ...  # noqa: D102 - as the class says


@dataclass(frozen=True)
class IdentifierMinter:
    """Answers requests about identifiers alone."""

    minter: Minter

    def outcomes(self, request: MintRequest) -> dict[str, Outcome]:
        """Return the outcome of every identifier of `request`, in its order."""
        outcomes: dict[str, Outcome] = {}
        sources: dict[str, SourceId] = {}
        faults: dict[SourceId, str] = {}
        wanted: dict[SourceId, dict[SourceId | None, None]] = {}
        for text in request.source_identifiers:
            try:
                source = _examined(text, faults)
            except InvalidIdentifierError as error:
                outcomes[text] = NotMinted(FailureCode.INVALID_IDENTIFIER, str(error))
                continue
            try:
                before = request.predecessors.get(text)
                predecessor = _examined(before, faults) if before else None
            except InvalidIdentifierError as error:
                outcomes[text] = NotMinted(FailureCode.INVALID_IDENTIFIER, f"predecessor: {error}")
                continue
            sources[text] = source
            wanted.setdefault(source, {})[predecessor] = None
        every = [WantedIdentifier(source, tuple(before)) for source, before in wanted.items()]
        minted = self.minter.mint(every, request.job_id, faults)
        outcomes |= {text: minted[source] for text, source in sources.items()}
        return {text: outcomes[text] for text in request.source_identifiers}


def _examined(text: str, faults: dict[SourceId, str]) -> SourceId:
    """Return the source that `text` names; why it may not be minted newly goes into `faults`."""
    examined = examine(text)
    if examined.fault:
        faults[examined.source] = examined.fault
    return examined.source


@dataclass(frozen=True)
class MintAnswer:
    """What became of a request; `request` is None when it broke its contract, `outcomes` are those of this attempt."""

    request: MintRequest | None
    outcomes: Mapping[str, Outcome]
    document: MintResponse

    @property
    def retryable(self) -> int:
        """How many identifiers failed for a reason that may pass."""
        return sum(isinstance(outcome, NotMinted) and outcome.retryable for outcome in self.outcomes.values())


def answer(
    payload: object,
    minter_of: Callable[[Mode], RequestMinter],
    cap: int | None = DEFAULT_CAP,
    *,
    resumes: bool = False,
) -> MintAnswer:
    """Return the answer to `payload`; a broken contract is an answer too, and nothing is minted then.

    With `resumes`, `payload` may hold an `earlier` answer to itself: only what failed there for a transient reason is
    tried again. Its canonical IDs are believed, so it has to come from whom the answer goes to.
    """
    try:
        request = parse_request(payload, cap, internal=resumes)
        earlier = _earlier(payload, resumes=resumes)
    except InvalidRequestError as error:
        return MintAnswer(None, {}, rejection(error))
    if earlier is None:
        outcomes = minter_of(request.mode).outcomes(request) if request.source_identifiers else {}
        return MintAnswer(request, outcomes, _with_no_strings(response(outcomes, request.job_id), request))
    lasting = {each["sourceIdentifier"] for each in earlier["failures"] if not each["retryable"]}
    waiting = _without(request, earlier["identifiers"].keys() | lasting)
    outcomes = minter_of(request.mode).outcomes(waiting) if waiting.source_identifiers else {}
    merged = _merged(request, earlier, response(outcomes, request.job_id))
    return MintAnswer(request, outcomes, _with_no_strings(merged, request))


def response(outcomes: Mapping[str, Outcome], job_id: str | None) -> MintResponse:
    """Return the response: `successes`, `failures`, the canonical IDs under `identifiers`, and `jobId` if given."""
    minted = {text: outcome for text, outcome in outcomes.items() if isinstance(outcome, Minted)}
    answer: MintResponse = {
        "successes": list(minted),
        "failures": [_failure(text, outcome) for text, outcome in outcomes.items() if isinstance(outcome, NotMinted)],
        "identifiers": {text: _identifier(outcome) for text, outcome in minted.items()},
    }
    return _counted(answer if job_id is None else {**answer, "jobId": job_id})


def canonical_id_of(identifier: str | NotedIdentifier) -> str:
    """Return the canonical ID of an entry of `identifiers`."""
    return identifier if isinstance(identifier, str) else identifier["canonicalId"]


def note_of(identifier: str | NotedIdentifier) -> str | None:
    """Return the note of an entry of `identifiers`."""
    return None if isinstance(identifier, str) else identifier["note"]


def _identifier(minted: Minted) -> str | NotedIdentifier:
    if minted.note is None:
        return minted.canonical_id
    return {"canonicalId": minted.canonical_id, "note": minted.note.value}


def _counted(answer: MintResponse) -> MintResponse:
    """Return the answer with the number of predecessors that were ignored, where there are any."""
    notes = sum(note_of(each) == Note.PREDECESSOR_IGNORED for each in answer["identifiers"].values())
    return {**answer, "predecessorsIgnored": notes} if notes else answer


def _with_no_strings(answer: MintResponse, request: MintRequest) -> MintResponse:
    """Return the answer with a failure for each entry that is no string."""
    refused = [
        _failure(json.dumps(entry)[:_SHOWN_CHARACTERS], NotMinted(FailureCode.INVALID_IDENTIFIER, NO_STRING))
        for entry in request.no_strings
    ]
    return {**answer, "failures": [*answer["failures"], *refused]}


def rejection(error: InvalidRequestError) -> MintResponse:
    """Return the response to a request that broke its contract."""
    failure: FailureDocument = {
        "sourceIdentifier": "",
        "error": f"Invalid input: {error}",
        "code": FailureCode.INVALID_INPUT.value,
        "retryable": False,
    }
    answer: MintResponse = {"successes": [], "failures": [failure], "identifiers": {}}
    return answer if error.job_id is None else {**answer, "jobId": error.job_id}


def _earlier(payload: object, *, resumes: bool) -> MintResponse | None:
    match payload:
        case {"earlier": _} if not resumes:
            raise InvalidRequestError(EARLIER_REFUSED)
        case {"earlier": {"failures": [*failures], "identifiers": {**identifiers}}} if all(
            isinstance(text, str) and _is_identifier(each) for text, each in identifiers.items()
        ) and all(_is_failure(each) for each in failures):
            kept = [each for each in failures if each.get("reason") != NO_STRING]
            return cast("MintResponse", {"successes": list(identifiers), "failures": kept, "identifiers": identifiers})
        case {"earlier": _}:
            raise InvalidRequestError("earlier must be an answer to the same request")
    return None


def _is_identifier(given: object) -> bool:
    match given:
        case str() | {"canonicalId": str(), "note": str()}:
            return True
    return False


def _is_failure(given: object) -> bool:
    match given:
        case {"sourceIdentifier": str(), "retryable": bool()}:
            return True
    return False


def _without(request: MintRequest, settled: Set[str]) -> MintRequest:
    wanted = tuple(text for text in request.source_identifiers if text not in settled)
    predecessors = {text: before for text, before in request.predecessors.items() if text not in settled}
    return replace(request, source_identifiers=wanted, predecessors=predecessors)


def _merged(request: MintRequest, earlier: MintResponse, later: MintResponse) -> MintResponse:
    """Return the answer to the whole request, in its order."""
    minted = {**earlier["identifiers"], **later["identifiers"]}
    failures = {each["sourceIdentifier"]: each for each in (*earlier["failures"], *later["failures"])}
    successes = [text for text in request.source_identifiers if text in minted]
    answer: MintResponse = {
        **later,
        "successes": successes,
        "failures": [failures[text] for text in request.source_identifiers if text in failures and text not in minted],
        "identifiers": {text: minted[text] for text in successes},
    }
    return _counted(answer)


def _failure(text: str, failed: NotMinted) -> FailureDocument:
    return {
        "sourceIdentifier": text,
        "error": f"Failed to mint ID for {text}",
        "code": failed.code.value,
        "retryable": failed.retryable,
        "reason": failed.reason,
    }
