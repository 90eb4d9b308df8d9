"""What a worker outside of the workflow sends: it claims, reports parts and completes over HTTP."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Annotated

from pydantic import Field

from waybill.core.errors import FieldError, InvalidInputError
from waybill.core.wire import WireModel
from waybill.subject_access.domain.fulfilment import Fulfilment
from waybill.subject_access.domain.keys import report_key, upload_key
from waybill.subject_access.domain.ports import RequestStore
from waybill.subject_access.errors import UnknownRequestError, WrongStateError
from waybill.subject_access.models import REPORTED, Claim, PartStatus, RequestState, StoredReport

# More than any report has, and few enough for a number of DynamoDB.
_MOST = 10**12
type _Count = Annotated[int, Field(ge=1, le=_MOST)]


_SHA256 = "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"


class ClaimHolder(WireModel):
    """Proof of a claim, as its holder got it."""

    claim_token: Annotated[str, Field(min_length=1, max_length=64)] = Field(
        description="The token that the claim has given", examples=["6f3d6c393a0e5c559c0a"]
    )
    generation: _Count = Field(description="Which claim on the request it is, as the claim has told", examples=[1])

    def of(self, request_id: str) -> Claim:
        """Return the claim on a request."""
        return Claim(request_id=request_id, claim_token=self.claim_token, generation=self.generation)


class OutsideReport(WireModel):
    """A report that was put at the upload address."""

    bytes: _Count = Field(description="Its size", examples=[482130])
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] = Field(
        description="Its SHA-256, hexadecimal, which is checked", examples=[_SHA256]
    )
    pages: _Count = Field(description="How many pages it has; those are counted that are there", examples=[42])


class Completion(WireModel):
    """The claim, and the report where it was made outside."""

    claim_token: Annotated[str, Field(min_length=1, max_length=64)] | None = Field(
        default=None, description="The token that the claim has given", examples=["6f3d6c393a0e5c559c0a"]
    )
    generation: _Count | None = Field(
        default=None, description="Which claim on the request it is, as the claim has told", examples=[1]
    )
    report: OutsideReport | None = Field(default=None, description="The report, where it was made outside")


class PartResult(ClaimHolder):
    """What became of one part."""

    render_status: PartStatus = Field(description="What became of it")
    http_status: Annotated[int, Field(ge=100, le=599)] | None = Field(
        default=None, description="What the service has answered", examples=[200]
    )
    attempts: _Count = Field(default=1, description="How often it was tried")
    # A component and a number (README, "Error codes"), and no text: it is in the audit trail for ever.
    error_code: Annotated[str, Field(max_length=64, pattern="^[A-Za-z]+(_[A-Za-z]+)*_[0-9]{1,6}$")] | None = Field(
        default=None, description="Why there is none: a component and a number, for programs", examples=["UPSTREAM_503"]
    )


def save_result(store: RequestStore, request_id: str, service: str, result: PartResult) -> None:
    """Write a part's result under the claim.

    Raises
    ------
    UnknownRequestError
        There is no such request.
    InvalidInputError
        The service is not part of the request, or its part is fetched by the workflow alone.
    ClaimLostError
        The claim does not hold the request.
    """
    if result.render_status is PartStatus.FETCHED:
        raise InvalidInputError(FieldError("renderStatus", "FETCHED is for the workflow's own parts"))
    part = next((part for part in store.parts(request_id) if part.service == service), None)
    if part is None and store.request(request_id) is None:
        raise UnknownRequestError("There is no such request")
    if part is None:
        raise InvalidInputError(FieldError("service", "is not part of this request"))
    after = replace(
        part,
        render_status=result.render_status,
        http_status=result.http_status,
        attempts=result.attempts,
        error_code=result.error_code,
    )
    if result.render_status is not PartStatus.COMPLETE:
        # Pages that an earlier claim has drawn are not what the service says now.
        after = replace(after, part_key=None, sha256=None, pages=None)
    store.save_part(result.of(request_id), after)


def complete(
    store: RequestStore,
    fulfilment: Fulfilment,
    examine: Callable[[Path], int],
    request_id: str,
    completion: Completion,
    actor: str,
) -> None:
    """Complete a request whose report is stored; one that was made outside is looked at by `examine`, then by a person.

    Raises
    ------
    UnknownRequestError
        There is no such request.
    WrongStateError
        It is completed already, or was given up on: then what was uploaded for it is removed.
    InvalidInputError
        The claim is not named.
    ClaimLostError, PartsMissingError, ReportDamagedError, UnfitReportError
        As in `Fulfilment.complete` and `Fulfilment.adopt_report`.
    """
    request = store.request(request_id)
    if request is None:
        raise UnknownRequestError("There is no such request")
    if request.state in {RequestState.ERRORED, RequestState.NEEDS_ATTENTION}:
        fulfilment.discard(request)
        raise WrongStateError("is Errored and cannot be completed")
    if request.state in REPORTED | {RequestState.ARCHIVED}:
        raise WrongStateError("is Completed already")
    claim = _claim(request_id, completion)
    if completion.report:
        made = completion.report
        key = report_key(request_id, claim.generation, made.sha256)
        report = StoredReport(key, made.bytes, made.sha256, made.pages)
        fulfilment.adopt_report(claim, upload_key(request_id, claim.generation), report, examine)
    if not fulfilment.complete(claim, actor):
        raise WrongStateError("is Completed already")


def _claim(request_id: str, completion: Completion) -> Claim:
    token, generation = completion.claim_token, completion.generation
    if token is None or generation is None:
        named = {"claimToken": token, "generation": generation}
        missing = [name for name, value in named.items() if value is None]
        raise InvalidInputError(*(FieldError(name, "must be that of the claim") for name in missing))
    return Claim(request_id=request_id, claim_token=token, generation=generation)
