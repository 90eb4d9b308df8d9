"""The table of subject access requests: the one module that knows how a request's items are keyed.

pk           sk                          item
SAR#<id>     META                        the request; `version` counts its writes
SAR#<id>     SVC#<rank>#<service>        a service's part
SAR#<id>     ATT#<service>#<claim>#<n>    an attachment of a part
SAR#<id>     AUD#<number>                an entry of the audit trail, never written again
AUDIT#<day>  META, AUD#<number>          the trail of what is about no request
SERVICE      <name>                      a service of the catalogue (catalogue_table.py)
TPL#<name>   V#<number>                  a version of its template (catalogue_table.py)
ALERT#…      LAST                        when people were told of something last (alerts.py)

Indexes (lists.py): ByQueue (queue, queue_place), ByListing (listing, listing_place), ByCase, BySubject.

Every write is a transaction under the condition that the request has not changed since it was read; who comes second
reads it again and decides anew. So a decision in Python is as safe as a condition in DynamoDB, and the audit entry is
written with what it records, or not at all.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import batched
from secrets import token_hex
from typing import TYPE_CHECKING, override

from pydantic import JsonValue

from waybill.core.aws.dynamodb import ConditionFailedError, Item, Update
from waybill.core.errors import ConflictError
from waybill.core.retry import CONTENTION, Retry
from waybill.subject_access.adapters.audited_table import AuditedTable, item_key
from waybill.subject_access.adapters.items import (
    attachment_attributes,
    attachment_of,
    entry_of,
    part_attributes,
    part_of,
    request_attributes,
    request_of,
)
from waybill.subject_access.domain.audit import WORKER, Action, AuditEntry, Trail, trail_key
from waybill.subject_access.domain.claims import held, lease_end
from waybill.subject_access.domain.entry_digests import part_digest, part_name, statements
from waybill.subject_access.domain.ports import Change, Changed, Decision, RequestStore
from waybill.subject_access.errors import (
    ClaimLostError,
    ContendedError,
    SubjectAccessStoreUnavailableError,
    UnknownRequestError,
)
from waybill.subject_access.models import Attachment, Claim, Part, PartStatus, RequestState, SubjectRequest

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

# DynamoDB API Reference, TransactWriteItems: at most 100 actions.
_PER_TRANSACTION = 90


class SubjectAccessTable(RequestStore):
    """`RequestStore` on DynamoDB; `client` is a boto3 `dynamodb` client."""

    def __init__(
        self, client: "DynamoDBClient", table: str, *, now: Callable[[], datetime], contention: Retry = CONTENTION
    ) -> None:
        self._now = now
        self._contention = contention
        self._items = AuditedTable(client, table, now)

    @override
    def create(self, request: SubjectRequest, parts: Sequence[Part], action: Action) -> SubjectRequest:
        """Store a new request with its parts; return the one that has the id, this or an earlier one.

        Raises
        ------
        ConflictError
            The earlier one is deleted.
        """
        after, writes = self._writes(request, Change(request, action, parts))
        try:
            self._items.transact(writes)
        except ConditionFailedError:
            return self._earlier(request.request_id)
        return after

    @override
    def duplicate(
        self, original_id: str, copy_id: str, decide: Callable[[SubjectRequest], tuple[Change, Action]]
    ) -> SubjectRequest:
        """Store the copy that `decide` makes of a request, recorded in both trails; return it, or an earlier one.

        Raises
        ------
        UnknownRequestError
            There is no such request.
        ConflictError
            An earlier copy with this id is deleted.
        ContendedError
            Others were faster, each time.
        """
        for _ in self._contention.attempts():
            item = self._items.get(f"SAR#{original_id}", "META") or {}
            original = _request_of(item)
            if original is None:
                raise UnknownRequestError("There is no such request")
            if self._items.get(f"SAR#{copy_id}", "META"):
                return self._earlier(copy_id)
            copy, noted = decide(original)
            after, writes = self._writes(copy.request, copy)
            _, beside = self._writes(original, Change(original, noted), item)
            try:
                self._items.transact([*writes, *beside])
            except (ConditionFailedError, SubjectAccessStoreUnavailableError):
                continue
            return after
        raise ContendedError(f"request {original_id} is being written to by too many at once")

    @override
    def request(self, request_id: str) -> SubjectRequest | None:
        """Return a request, as of now; None for one that was deleted."""
        return _request_of(self._items.get(f"SAR#{request_id}", "META") or {})

    @override
    def change(self, request_id: str, decide: Decision) -> Changed:
        """Write what `decide` says, all of it or nothing; return the request as it then is, and what was decided.

        Raises
        ------
        UnknownRequestError
            There is no such request.
        ContendedError
            Others were faster, each time.
        """
        for _ in self._contention.attempts():
            item = self._items.get(f"SAR#{request_id}", "META") or {}
            request = _request_of(item)
            if request is None:
                raise UnknownRequestError("There is no such request")
            change = decide(request)
            if change is None:
                return Changed(request, None)
            after, writes = self._writes(request, change, item)
            try:
                self._items.transact(writes)
            except (ConditionFailedError, SubjectAccessStoreUnavailableError):
                continue
            return Changed(after, change)
        raise ContendedError(f"request {request_id} is being written to by too many at once")

    @override
    def parts(self, request_id: str) -> list[Part]:
        return [part_of(item) for item in self._items.query(f"SAR#{request_id}", "SVC#")]

    @override
    def part(self, request_id: str, rank: int, service: str) -> Part | None:
        """Return one part, as of now."""
        item = self._items.get(f"SAR#{request_id}", _part_key(rank, service))
        return part_of(item) if item else None

    @override
    def save_part(self, claim: Claim, part: Part, **detail: JsonValue) -> None:
        """Write a part's result with its audit entry, to which `detail` is added, and extend the lease.

        Raises
        ------
        ClaimLostError
            The claim does not hold the request: nothing was written.
        """
        # A part that is rendered was perhaps fetched by an earlier claim, whose number its attachments have.
        fetched_by = part.generation if part.render_status is PartStatus.COMPLETE else claim.generation
        written = replace(part, generation=fetched_by)
        detail |= {
            "service": part.service,
            "renderStatus": part.render_status.value,
            "attempts": part.attempts,
            "error": part.error_code,
            "generation": claim.generation,
        }

        def decide(request: SubjectRequest) -> Change:
            kept = replace(held(request, claim), claim_expires_at=lease_end(self._now()))
            return Change(kept, Action(request.claimed_by or WORKER, "SERVICE_RESULT", detail), [written])

        self.change(claim.request_id, decide)

    @override
    def heartbeat(self, claim: Claim) -> None:
        """Extend the lease.

        Raises
        ------
        ClaimLostError
            The claim does not hold the request.
        """
        extended = Update.of({"claim_expires_at": lease_end(self._now())}, counted=("version",))
        values = {":mine": claim.claim_token, ":state": RequestState.IN_PROGRESS.value}
        try:
            self._items.table.update(
                item_key(f"SAR#{claim.request_id}", "META"),
                extended,
                "claim_token = :mine AND #state = :state",
                values,
                {"#state": "state"},
            )
        except ConditionFailedError:
            raise ClaimLostError(f"the claim of generation {claim.generation} does not hold the request") from None

    @override
    def save_attachments(self, claim: Claim, attachments: Sequence[Attachment]) -> None:
        """Write attachments; the same ones again change nothing.

        Raises
        ------
        ClaimLostError
            The claim does not hold the request: those of the failed write and the later ones were not written.
        """
        request = item_key(f"SAR#{claim.request_id}", "META")
        held_still = self._items.table.check_action(request, "claim_token = :mine", {":mine": claim.claim_token})
        for some in batched(attachments, _PER_TRANSACTION, strict=False):
            puts = [self._attachment_put(claim, attachment) for attachment in some]
            try:
                self._transact_between_others([held_still, *puts])
            except ConditionFailedError:
                raise ClaimLostError(f"the claim of generation {claim.generation} does not hold the request") from None

    @override
    def attachments(self, request_id: str, service: str, generation: int) -> list[Attachment]:
        prefix = _attachment_prefix(service, generation)
        return [attachment_of(item) for item in self._items.query(f"SAR#{request_id}", prefix)]

    @override
    def audit(self, about: str) -> list[AuditEntry]:
        """Return the trail of a request, also of one that was deleted, or of no request (``AUDIT#<day>``)."""
        return [entry_of(item) for item in self._items.query(trail_key(about), "AUD#")]

    @override
    def trail(self, about: str) -> Trail | None:
        """Return a trail, and what the request says that it is about, all as of one moment; None where there is none.

        Raises
        ------
        ContendedError
            The request is written to all the time.
        """
        key = trail_key(about)
        for _ in self._contention.attempts():
            before = self._items.get(key, "META")
            entries = self.audit(about)
            parts = {str(item["service"]): item for item in self._items.query(key, "SVC#")}
            after = self._items.get(key, "META")
            if before == after:
                request = before if before and "state" in before else None
                count, head = (int(before["audit_count"]), str(before["audit_hash"])) if before else (0, "")
                return Trail(entries, count, head, request, parts) if before or entries else None
        raise ContendedError(f"request {about} is being written to by too many at once")

    @override
    def record(self, about: str, action: Action) -> None:
        """Record an action that changes nothing, about the request `about`, or about none (``AUDIT#<day>``)."""
        if trail_key(about) != about:
            self.change(about, lambda request: Change(request, action))
            return
        for _ in self._contention.attempts():
            try:
                self._items.append(about, action)
            except (ConditionFailedError, SubjectAccessStoreUnavailableError):
                continue
            return
        raise ContendedError("the audit trail is being written to by too many at once")

    @override
    def forget(self, request_id: str, action: Action) -> None:
        """Remove everything of a request but its audit trail, which ends with `action`; once, and again after a crash.

        What tells the trail's end stays in place of the request.
        """
        request = self.request(request_id)
        about = f"SAR#{request_id}"
        self._delete([item["sk"] for kind in ("SVC#", "ATT#") for item in self._items.query(about, kind)], about)
        if request is None:
            return
        entry = self._items.entry(about, request.audit_count, request.audit_hash, action)
        kept = {"audit_count": entry.number, "audit_hash": entry.hash}
        head = self._items.head_put(about, kept, request.version)
        try:
            self._items.transact([head, self._items.entry_put(about, entry)])
        except ConditionFailedError:
            raise ContendedError(f"request {request_id} changed while it was deleted") from None

    def _writes(
        self, seen: SubjectRequest, change: Change, before: Item | None = None
    ) -> "tuple[SubjectRequest, list[TransactWriteItemTypeDef]]":
        """Return the request as `change` leaves it, and the writes that make it so; `before` is the item of `seen`.

        The entry seals what the item says otherwise than before, whoever has written that.
        """
        about, before = f"SAR#{seen.request_id}", before or {}
        services = {**change.request.services, **{part.service: part.state for part in change.parts}}
        after = replace(change.request, services=services, seal_salt=change.request.seal_salt or token_hex(16))
        says = statements(before, request_attributes(after)) | {
            part_name(part.service): part_digest(part.service, part_attributes(part), after.seal_salt)
            for part in change.parts
        }
        entry = self._items.entry(about, seen.audit_count, seen.audit_hash, change.action, says)
        after = replace(after, version=seen.version + 1, audit_count=entry.number, audit_hash=entry.hash)
        return after, [
            self._items.head_put(about, request_attributes(after), seen.version),
            self._items.entry_put(about, entry),
            *(self._part_put(about, part) for part in change.parts),
        ]

    def _earlier(self, request_id: str) -> SubjectRequest:
        found = self.request(request_id)
        if found is None:
            raise ConflictError("The request that had this id is deleted")
        return found

    def _part_put(self, about: str, part: Part) -> "TransactWriteItemTypeDef":
        key = item_key(about, _part_key(part.rank, part.service))
        return self._items.table.put_action(key | part_attributes(part))

    def _attachment_put(self, claim: Claim, attachment: Attachment) -> "TransactWriteItemTypeDef":
        sort_key = f"{_attachment_prefix(attachment.service, claim.generation)}{attachment.number:05}"
        key = item_key(f"SAR#{claim.request_id}", sort_key)
        return self._items.table.put_action(key | attachment_attributes(attachment))

    def _transact_between_others(self, writes: "list[TransactWriteItemTypeDef]") -> None:
        """Write under a condition on the request alone: a transaction of somebody else on it is no reason to fail."""
        self._contention.call(lambda: self._items.transact(writes), on=SubjectAccessStoreUnavailableError)

    def _delete(self, sort_keys: Sequence[str], about: str) -> None:
        self._items.table.batch_write(delete=({"pk": about, "sk": sort_key} for sort_key in sort_keys))


def _request_of(item: Item) -> SubjectRequest | None:
    return request_of(item) if "state" in item else None


def _part_key(rank: int, service: str) -> str:
    return f"SVC#{rank:03}#{service}"


def _attachment_prefix(service: str, generation: int) -> str:
    return f"ATT#{service}#{generation:05}#"
