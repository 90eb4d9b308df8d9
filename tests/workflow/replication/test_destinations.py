"""Many destinations, destinations in other Regions, and some of them again."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from copy import deepcopy
from typing import Any

import pytest

from tests.workflow.support.application import Application
from tests.workflow.support.calls import most_at_once
from tests.workflow.support.gate import Gate
from tests.workflow.support.names import FURTHER, MISSING
from tests.workflow.support.requests import Requests
from tests.workflow.support.source import Source

type Buckets = Callable[..., list[str]]


@pytest.fixture(scope="module")
def buckets(application: Application) -> Iterator[Buckets]:
    """Make buckets that the functions may write to; each has its number in its name."""

    def make(count: int, *, named: str, region: str | None = None) -> list[str]:
        names = [f"{FURTHER}{named}-{number}" for number in range(count)]
        return [application.make_bucket(name, region) for name in names]

    iam = application.stack.client("iam")
    with ExitStack() as changed:
        for policy in ("WriteDestinationsPolicy", "AbortUploadsPolicy"):
            changed.enter_context(allowed(iam, application.resources[policy], [f"arn:aws:s3:::{FURTHER}*"]))
        yield make


@contextmanager
def allowed(iam: Any, policy_arn: str, resources: list[str]) -> Iterator[None]:
    """Let the statements of a managed policy be about `resources` too, for a while."""
    version = iam.get_policy(PolicyArn=policy_arn)["Policy"]["DefaultVersionId"]
    before = iam.get_policy_version(PolicyArn=policy_arn, VersionId=version)["PolicyVersion"]["Document"]
    document = deepcopy(before)
    for statement in document["Statement"]:
        present = statement["Resource"]
        statement["Resource"] = ([present] if isinstance(present, str) else present) + resources

    def replace(old: str, by: Any) -> str:
        # A policy keeps five versions at most (IAM user guide, "Versioning IAM policies").
        made = iam.create_policy_version(PolicyArn=policy_arn, PolicyDocument=json.dumps(by), SetAsDefault=True)
        iam.delete_policy_version(PolicyArn=policy_arn, VersionId=old)
        return str(made["PolicyVersion"]["VersionId"])

    changed = replace(version, document)
    try:
        yield
    finally:
        replace(changed, before)


@pytest.mark.long
def test_one_of_25_destinations_is_missing_and_another_is_slow(
    application: Application, gate: Gate, quiet: Source, buckets: Buckets, key: str, label: str
) -> None:
    wanted = buckets(25, named="many")
    wanted[7] = MISSING
    quiet.put(key)

    with gate.refusing("CopyObject", label, bucket=wanted[3], times=6):
        ended = application.run(quiet.request(key, wanted), label)

    assert ended.error == "PARTIAL_FAILURE"
    results = json.loads(quiet.record(key, "FAILED")["copyResults"])
    assert [result["destinationBucket"] for result in results] == wanted
    assert Counter(result["code"] for result in results) == {"COPIED": 24, "NO_SUCH_BUCKET": 1}
    assert results[3]["attempts"] == 3
    assert {results[number]["attempts"] for number in range(25) if number != 3} == {1}


def test_never_more_than_ten_copies_at_a_time(
    application: Application, gate: Gate, quiet: Source, buckets: Buckets, key: str, label: str
) -> None:
    wanted = buckets(15, named="at-once")
    quiet.put(key)

    with gate.holding("CopyObject", label) as copies:
        arn = application.start(quiet.request(key, wanted), label)
        copies.wait(10)

    assert application.ended(arn).status == "SUCCEEDED"
    calls = gate.calls(label, "CopyObject")
    assert len(calls) == 15
    assert most_at_once(calls) == 10


@pytest.mark.long
def test_200_failed_destinations_with_long_reasons_fit_state_and_record(
    application: Application, gate: Gate, quiet: Source, label: str
) -> None:
    """The record has all names, and each destination an item of its own with its reason."""
    key = f"{label}/{'k' * 900}"
    wanted = [f"{FURTHER}{'m' * 30}-{number}" for number in range(200)]
    quiet.put(key)

    ended = application.run(quiet.request(key, wanted), label)

    assert ended.error == "FAILED"
    record = quiet.record(key, "FAILED")
    assert (record["totalBuckets"], record["failedCopies"]) == (200, 200)
    assert json.loads(record["failedBuckets"]) == wanted
    found = quiet.destinations(key)
    assert set(found) == set(wanted)
    assert all(item["code"] == "NO_SUCH_BUCKET" and item["cause"] for item in found.values())
    assert len(application.told(label)) == 1


def test_destination_in_another_region_is_asked_there(
    application: Application, gate: Gate, quiet: Source, buckets: Buckets, key: str, label: str
) -> None:
    [abroad] = buckets(1, named="abroad", region="eu-central-1")
    quiet.put(key)

    ended = application.run(quiet.request(key, [application.destinations[0], abroad]), label)

    assert ended.output["status"] == "SUCCESS"
    assert application.content(abroad, key) == b"content"
    regions = {call.bucket: call.region for call in gate.calls(label, "CopyObject")}
    assert regions == {application.destinations[0]: application.stack.region, abroad: "eu-central-1"}


@pytest.mark.parametrize(("force", "code", "copies"), [(False, "SKIPPED_IDENTICAL", 1), (True, "COPIED", 2)])
def test_second_run_copies_what_is_missing_and_a_forced_one_everything(
    application: Application,
    requests: Requests,
    quiet: Source,
    buckets: Buckets,
    key: str,
    label: str,
    force: bool,
    code: str,
    copies: int,
) -> None:
    late = f"{FURTHER}late{copies}-0"
    wanted = [application.destinations[0], late]
    quiet.put(key)
    first = application.invoke(application.invoker, quiet.request(key, wanted)).payload["executionArn"]
    assert application.ended(first).error == "PARTIAL_FAILURE"

    buckets(1, named=f"late{copies}")
    again = application.invoke(application.invoker, quiet.request(key, wanted, force=force)).payload
    ended = application.ended(again["executionArn"])

    assert (again["alreadyRunning"], ended.output["status"]) == (False, "SUCCESS")
    assert {name: item["code"] for name, item in quiet.destinations(key).items()} == {
        wanted[0]: code,
        late: "COPIED",
    }
    requests.were(label, bucket=wanted[0], CopyObject=copies)
    assert application.content(late, key) == b"content"
    assert quiet.record(key)["executionId"] == ended.arn
    assert len(quiet.history(key)) == 2


def test_prefix_and_repeated_destinations(application: Application, quiet: Source, key: str, label: str) -> None:
    """One name twice is one destination, and under a prefix the source bucket itself may be one."""
    quiet.put(key)
    bucket = application.destinations[0]

    ended = application.run(quiet.request(key, [bucket, bucket], destinationPrefix="copies/"), label)

    assert ended.output["totalBuckets"] == 1
    assert application.content(bucket, f"copies/{key}") == b"content"
    assert application.content(bucket, key) is None


def test_objects_with_other_tags_and_metadata_through_one_function_keep_their_own(
    application: Application, quiet: Source, label: str
) -> None:
    bucket = application.destinations[0]
    files = {f"{label}-{number}": {"Metadata": {"n": str(number)}, "Tagging": f"n={number}"} for number in range(3)}
    for key, attributes in files.items():
        quiet.put(key, b"x" * (7 * 1024**2), **attributes)
        application.run(quiet.request(key, [bucket]), key)

    for number, key in enumerate(files):
        assert application.s3.head_object(Bucket=bucket, Key=key)["Metadata"] == {"n": str(number)}
        tags = application.s3.get_object_tagging(Bucket=bucket, Key=key)["TagSet"]
        assert tags == [{"Key": "n", "Value": str(number)}]
