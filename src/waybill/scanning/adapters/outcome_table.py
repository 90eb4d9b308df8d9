"""The outcomes of objects in the scanner's table, counted as they are written, and what earlier jobs have found."""

from collections.abc import Iterable, Sequence

from waybill.core.aws.dynamodb import ConditionFailedError, Item, to_item
from waybill.core.clock import iso
from waybill.scanning.adapters.item_table import Table, key_of
from waybill.scanning.adapters.items import (
    finding_attributes,
    finding_sort_key,
    findings_prefix,
    increments,
    outcome_attributes,
    outcome_of,
)
from waybill.scanning.domain.detection.models import Finding
from waybill.scanning.models import Entry, ObjectOutcome, key_hash

# DynamoDB takes 100 items in a transaction, of which one is the counter.
OUTCOMES_LIMIT = 99
_CACHE_SECONDS = 30 * 86_400


class OutcomeStore(Table):
    """The part of `Store` that is about objects."""

    def outcomes(self, job_id: str, keys: Sequence[str]) -> dict[str, ObjectOutcome]:
        """Return the outcomes of those of `keys` that have one."""
        found = {item["sk"]: item for item in self._get_many([key_of(job_id, object_key(key)) for key in keys])}
        return {key: outcome_of(found[object_key(key)]) for key in keys if object_key(key) in found}

    def record_all(self, job_id: str, outcomes: Sequence[ObjectOutcome]) -> dict[str, ObjectOutcome]:
        """Store up to 99 outcomes of different objects and count them, in one transaction.

        An object that has an outcome keeps it, and is not counted again; returns those outcomes by key. What `repeats`
        has an item of its own, for the page that it was listed in.
        """
        earlier: dict[str, ObjectOutcome] = {}
        while waiting := [outcome for outcome in outcomes if outcome.key not in earlier]:
            sums: dict[str, int] = {}
            for outcome in waiting:
                for name, value in increments(outcome).items():
                    sums[name] = sums.get(name, 0) + value
            try:
                self._count_with([self._new_outcome(job_id, outcome) for outcome in waiting], job_id, sums)
            except ConditionFailedError:
                earlier |= self._recorded(job_id, waiting)
            else:
                break
        return earlier

    def _recorded(self, job_id: str, outcomes: Iterable[ObjectOutcome]) -> dict[str, ObjectOutcome]:
        keys = {_outcome_key(outcome): outcome.key for outcome in outcomes}
        found = self._get_many([key_of(job_id, sort_key) for sort_key in keys])
        return {keys[item["sk"]]: outcome_of(item) for item in found}

    def _new_outcome(self, job_id: str, outcome: ObjectOutcome) -> Item:
        attributes = to_item(outcome_attributes(outcome) | {"recorded_at": iso(self._now())})
        item = key_of(job_id, _outcome_key(outcome)) | attributes
        return {"Put": {"TableName": self._table, "Item": item, "ConditionExpression": "attribute_not_exists(sk)"}}

    def remember(self, job_id: str, bucket: str, outcomes: Iterable[ObjectOutcome], cache_name: str) -> None:
        """Let later jobs find what this one has found in the same state of the objects by the same rules."""
        expires = int(self._now().timestamp()) + _CACHE_SECONDS
        requests = []
        for outcome in outcomes:
            key = _cache_key(bucket, outcome.key, outcome.etag, cache_name)
            item = to_item(outcome_attributes(outcome) | key | {"job_id": job_id, "expires": expires})
            requests.append({"PutRequest": {"Item": item}})
        self._write_many(requests)

    def cached(self, bucket: str, entries: Sequence[Entry], cache_name: str) -> dict[str, tuple[str, ObjectOutcome]]:
        """Return by key what an earlier job (its id) found in the same state of an object."""
        keys = [to_item(_cache_key(bucket, entry.key, entry.etag, cache_name)) for entry in entries]
        now = int(self._now().timestamp())
        return {
            item["key"]: (item["job_id"], outcome_of(item, from_cache=True))
            # Half the price; what was written a moment ago may be read again.
            for item in self._get_many(keys, consistent=False)
            if item["expires"] > now
        }

    def keep_findings(self, job_id: str, key: str, etag: str, findings: Iterable[Finding]) -> None:
        """Store findings; the same ones again change nothing."""
        items = {
            (sort_key := finding_sort_key(key, etag, finding)): key_of(job_id, sort_key)
            | to_item(finding_attributes(key, etag, finding) | {"created_at": iso(self._now())})
            for finding in findings
        }
        self._write_many([{"PutRequest": {"Item": item}} for item in items.values()])

    def keep_findings_of(self, job_id: str, key: str, etag: str) -> None:
        """Remove the findings of every state of an object but one; no ETag, no findings."""
        kept = findings_prefix(key, etag) if etag else None
        found = self._query(job_id, findings_prefix(key))
        gone = [item["sk"] for item in found if kept is None or not item["sk"].startswith(kept)]
        self._write_many([{"DeleteRequest": {"Key": key_of(job_id, sort_key)}} for sort_key in gone])

    def copy_findings(self, source_job: str, job_id: str, key: str, etag: str) -> None:
        """Give a job the findings of another one about an object."""
        found = self._query(source_job, findings_prefix(key, etag))
        self._write_many([{"PutRequest": {"Item": to_item(item | {"pk": f"JOB#{job_id}"})}} for item in found])


def object_key(key: str) -> str:
    """Return the sort key of an object's outcome."""
    return f"OBJ#{key_hash(key)}"


def _outcome_key(outcome: ObjectOutcome) -> str:
    return object_key(outcome.key) + (f"#{outcome.page}" if outcome.repeats else "")


def _cache_key(bucket: str, key: str, etag: str, cache_name: str) -> dict[str, str]:
    return {"pk": f"OBJCACHE#{bucket}", "sk": f"{key_hash(key)}#{etag}#{cache_name}"}
