"""From a request to its answer: every distinct identifier once, in `successes` or in `failures`."""

from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, replace
from typing import Protocol, cast

from waybill.minting.domain.minter import Minter
from waybill.minting.domain.requests import DEFAULT_CAP, EARLIER_REFUSED, MintRequest, Mode, parse_request
from waybill.minting.domain.source_ids import parse_source_id
from waybill.minting.errors import InvalidIdentifierError, InvalidRequestError
from waybill.minting.models import (
    FailureCode,
    FailureDocument,
    Minted,
    MintResponse,
    NotMinted,
    Outcome,
    SourceId,
    Wanted,
)


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
        wanted: dict[SourceId, dict[SourceId | None, None]] = {}
        for text in request.source_identifiers:
            try:
                source = parse_source_id(text)
            except InvalidIdentifierError as error:
                outcomes[text] = NotMinted(FailureCode.INVALID_IDENTIFIER, str(error))
                continue
            try:
                before = request.predecessors.get(text)
                predecessor = parse_source_id(before) if before else None
            except InvalidIdentifierError as error:
                outcomes[text] = NotMinted(FailureCode.INVALID_IDENTIFIER, f"predecessor: {error}")
                continue
            sources[text] = source
            wanted.setdefault(source, {})[predecessor] = None
        minted = self.minter.mint([Wanted(source, tuple(before)) for source, before in wanted.items()], request.job_id)
        outcomes |= {text: minted[source] for text, source in sources.items()}
        return {text: outcomes[text] for text in request.source_identifiers}


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

    With `resumes`, `payload` may hold an `earlier` answer to itself: only what failed there for a passing reason is
    tried again. Its canonical IDs are believed, so it has to come from whom the answer goes to.
    """
    try:
        request = parse_request(payload, cap)
        earlier = _earlier(payload, resumes=resumes)
    except InvalidRequestError as error:
        return MintAnswer(None, {}, rejection(error))
    if earlier is None:
        outcomes = minter_of(request.mode).outcomes(request)
        return MintAnswer(request, outcomes, response(outcomes, request.job_id))
    lasting = {each["sourceIdentifier"] for each in earlier["failures"] if not each["retryable"]}
    waiting = _without(request, earlier["identifiers"].keys() | lasting)
    outcomes = minter_of(request.mode).outcomes(waiting) if waiting.source_identifiers else {}
    return MintAnswer(request, outcomes, _merged(request, earlier, response(outcomes, request.job_id)))


def response(outcomes: Mapping[str, Outcome], job_id: str | None) -> MintResponse:
    """Return the response: `successes`, `failures`, the canonical IDs under `identifiers`, and `jobId` if given."""
    minted = {text: outcome.canonical_id for text, outcome in outcomes.items() if isinstance(outcome, Minted)}
    answer: MintResponse = {
        "successes": list(minted),
        "failures": [_failure(text, outcome) for text, outcome in outcomes.items() if isinstance(outcome, NotMinted)],
        "identifiers": minted,
    }
    return answer if job_id is None else {**answer, "jobId": job_id}


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
            isinstance(text, str) for text in [*identifiers, *identifiers.values()]
        ) and all(_is_failure(each) for each in failures):
            return cast(
                "MintResponse", {"successes": list(identifiers), "failures": failures, "identifiers": identifiers}
            )
        case {"earlier": _}:
            raise InvalidRequestError("earlier must be an answer to the same request")
    return None


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
    return {
        **later,
        "successes": successes,
        "failures": [failures[text] for text in request.source_identifiers if text in failures and text not in minted],
        "identifiers": {text: minted[text] for text in successes},
    }


def _failure(text: str, failed: NotMinted) -> FailureDocument:
    return {
        "sourceIdentifier": text,
        "error": f"Failed to mint ID for {text}",
        "code": failed.code.value,
        "retryable": failed.retryable,
        "reason": failed.reason,
    }
