"""Which uploads are replicated, and which destinations would start the workflow again."""

from typing import Any

import pytest

from tests.fakes.runs import DESTINATIONS, E_TAG, KEY, SOURCE
from waybill.core.errors import InvalidInputError
from waybill.replication.domain.events import Ignored, ObjectCreated, TagsChanged
from waybill.replication.domain.requests import Routing, guard_against_loops, open_run
from waybill.replication.models import ReplicationRequest

_PAYLOAD = {"sourceBucket": SOURCE, "sourceKey": KEY, "destinationBuckets": list(DESTINATIONS)}
_EXECUTION = {"Id": "arn:execution", "Name": "build-1", "StartTime": "2026-03-01T12:00:00.000Z"}
_NOBODY: frozenset[str] = frozenset()


class TestRouting:
    """`Routing.request`."""

    def test_an_event_pins_all_it_tells(self) -> None:
        created = ObjectCreated(SOURCE, KEY, E_TAG, "v1", 3, "AB")
        request = Routing(DESTINATIONS).request(created)
        assert request == ReplicationRequest(
            source_bucket=SOURCE,
            source_key=KEY,
            destination_buckets=DESTINATIONS,
            e_tag=E_TAG,
            version_id="v1",
            size=3,
            sequencer="AB",
        )

    def test_new_tags_ask_for_what_the_source_has_by_then(self) -> None:
        """The event has no sequencer and carries no tags (S3 user guide, "Event message structure")."""
        request = Routing(DESTINATIONS).request(TagsChanged(SOURCE, KEY, "2026-01-02T03:04:05.678Z/C3D13FE58DE4C810"))
        assert request == ReplicationRequest(
            source_bucket=SOURCE,
            source_key=KEY,
            destination_buckets=DESTINATIONS,
            nonce="tags 2026-01-02T03:04:05.678Z/C3D13FE58DE4C810",
            look_first=True,
        )
        assert isinstance(request, ReplicationRequest)
        assert request.is_from_event

    def test_what_may_be_a_replica_is_looked_at_first(self) -> None:
        copied = Routing(DESTINATIONS).request(ObjectCreated(SOURCE, KEY, sequencer="AB", may_be_copy=True))
        uploaded = Routing(DESTINATIONS).request(ObjectCreated(SOURCE, KEY, sequencer="AB"))
        assert isinstance(copied, ReplicationRequest)
        assert isinstance(uploaded, ReplicationRequest)
        assert (copied.look_first, uploaded.look_first) == (True, None)

    @pytest.mark.parametrize(
        ("key", "prefix", "suffix", "matches"),
        [
            ("builds/a.zip", "", "", True),
            ("builds/a.zip", "builds/", ".zip", True),
            ("builds/a.zip", "Builds/", "", False),
            ("builds/a.ZIP", "", ".zip", False),
            ("a.zip", "builds/", ".zip", False),
            ("builds/.zip", "builds/", ".zip", True),
        ],
    )
    def test_keys_are_filtered(self, key: str, prefix: str, suffix: str, matches: bool) -> None:
        outcome = Routing(DESTINATIONS, prefix, suffix).request(ObjectCreated(SOURCE, key))
        assert isinstance(outcome, ReplicationRequest) is matches
        assert matches or outcome == Ignored("the key does not match the prefix and suffix")

    def test_an_upload_to_a_destination_is_the_workflows_own(self) -> None:
        outcome = Routing(DESTINATIONS).request(ObjectCreated(DESTINATIONS[0], KEY))
        assert outcome == Ignored("loop guard: the bucket is a destination")

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"bucket": "b"}, "sourceBucket"),
            ({"key": "x" * 1025}, "sourceKey"),
            ({"e_tag": 7}, "eTag"),
            ({"version_id": []}, "versionId"),
            ({"size": "much"}, "size"),
            ({"size": float("nan")}, "size"),
            ({"sequencer": "later"}, "sequencer"),
            ({"sequencer": 5}, "sequencer"),
        ],
    )
    def test_an_event_that_tells_nonsense_names_it(self, changes: dict[str, Any], field: str) -> None:
        with pytest.raises(InvalidInputError) as caught:
            Routing(DESTINATIONS).request(ObjectCreated(**{"bucket": SOURCE, "key": KEY, **changes}))
        assert [error.field for error in caught.value.errors] == [field]


class TestLoopGuard:
    """`guard_against_loops`."""

    def test_every_destination_that_starts_the_workflow_is_named(self) -> None:
        request = ReplicationRequest.parse(_PAYLOAD | {"destinationBuckets": ["aaa", "bbb", "ccc"]})
        with pytest.raises(InvalidInputError) as caught:
            guard_against_loops(request, frozenset({"aaa", "ccc"}))
        assert [error.field for error in caught.value.errors] == ["destinationBuckets[0]", "destinationBuckets[2]"]
        assert caught.value.errors[0].message == "aaa starts this workflow: the copy would be copied again"

    def test_a_prefix_does_not_get_around_it(self) -> None:
        request = ReplicationRequest.parse(_PAYLOAD | {"destinationBuckets": [SOURCE], "destinationPrefix": "copies/"})
        with pytest.raises(InvalidInputError, match="starts this workflow"):
            guard_against_loops(request, frozenset({SOURCE}))

    def test_other_destinations_are_fine(self) -> None:
        guard_against_loops(ReplicationRequest.parse(_PAYLOAD), frozenset({SOURCE}))


class TestOpening:
    """`open_run`."""

    def test_a_run_is_a_request_with_its_execution(self) -> None:
        run = open_run(_PAYLOAD | {"sequencer": "AB"}, _EXECUTION, _NOBODY)
        assert (run.execution_id, run.execution_name, run.workflow_start_time, run.generation) == (
            "arn:execution", "build-1", "2026-03-01T12:00:00.000Z", 0,
        )  # fmt: skip
        assert run.sequencer == "AB".ljust(64, "0")
        assert run.destination_buckets == DESTINATIONS

    @pytest.mark.parametrize("payload", [None, {}, {**_PAYLOAD, "destinationBuckets": []}, "text"])
    def test_what_breaks_the_contract_opens_nothing(self, payload: object) -> None:
        with pytest.raises(InvalidInputError):
            open_run(payload, _EXECUTION, _NOBODY)

    def test_the_loop_guard_holds_for_direct_starts(self) -> None:
        with pytest.raises(InvalidInputError, match=r"destinationBuckets\[1\]"):
            open_run(_PAYLOAD, _EXECUTION, frozenset({DESTINATIONS[1]}))

    def test_nobody_chooses_the_generation_of_a_run(self) -> None:
        assert open_run(_PAYLOAD | {"generation": 99}, _EXECUTION, _NOBODY).generation == 0
