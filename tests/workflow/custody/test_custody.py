"""From an upload to its history, the signed log and its verification, with the roles that the template gives."""

import time
from typing import Any

import pytest

from tests.workflow.support.api import Api, api_of
from tests.workflow.support.application import Application
from tests.workflow.support.polling import DEADLINE, until
from tests.workflow.support.source import Source

# Seconds.
_BETWEEN_PROBES, _UNTIL_S3_TELLS = 30.0, 600.0


@pytest.fixture(scope="module")
def api(application: Application) -> Api:
    """The API for somebody who may trace."""
    return api_of(application, "custody")


def traced(api: Api, **asked: str) -> Any:
    answer = api.get("/custody", **asked)
    return answer.body if answer.status == 200 else None


def copied(history: Any) -> list[Any]:
    """The events of a file's copies; beside them are those of verifications, where one has run meanwhile."""
    return [event for event in history["events"] if event["type"] == "replication"]


def test_an_upload_has_a_history_that_is_sealed_and_holds(application: Application, source: Source, api: Api) -> None:
    key = application.early
    source.record(key)

    def whole() -> Any:
        found = traced(api, bucket=source.name, key=key)
        return found if found and len(copied(found)) == 2 else None

    history = until(whole, "both copies in the history")
    assert {event["type"] for event in history["events"]} <= {"replication", "fixity check"}
    assert {event["outcome"] for event in copied(history)} == {"success"}
    copies = {(copy["bucket"], copy["key"]) for event in copied(history) for copy in event["related"]}
    assert copies == {(bucket, key) for bucket in application.destinations}
    assert all(event["intact"] for event in history["events"])
    # A copy's own place shows the same.
    other = until(lambda: traced(api, bucket=application.destinations[0], key=key), "the history of a copy")
    assert [event["eventId"] for event in copied(other)] == [event["eventId"] for event in copied(history)]

    seal = application.resources["SealEventsFunction"]
    settings = application.functions.get_function_configuration(FunctionName=seal)["Environment"]["Variables"]
    with application.configured(
        "SealEventsFunction", Environment={"Variables": settings | {"CUSTODY_SETTLING_SECONDS": "0"}}
    ):

        def sealed() -> Any:
            done = application.invoke(seal, {})
            assert done.error is None, done.payload
            found = traced(api, bucket=source.name, key=key, prove="true")
            return found if found and all(event.get("index") is not None for event in copied(found)) else None

        # A minute has to be over before it is sealed.
        proven = until(sealed, "both events in the log", 60 + DEADLINE)
    assert all(event["proof"]["size"] >= 2 for event in copied(proven))
    assert proven["checkpoint"].startswith(f"waybill/{application.outputs['CustodyLogBucketName']}\n")

    done = application.invoke(application.resources["VerifyCustodyFunction"], {})
    assert done.error is None, done.payload
    assert done.payload["entries"] >= 2
    after = traced(api, bucket=source.name, key=key)
    assert after["verified"]["size"] >= 2

    # The schedule's look into all five tables, by the function's own role: nothing of this file was lost.
    done = application.invoke(application.resources["RecordEventsFunction"], {"reconcile": True})
    assert done.error is None, done.payload
    again = traced(api, bucket=source.name, key=key)
    assert [event["mac"] for event in copied(again)] == [event["mac"] for event in copied(after)]


def test_a_file_of_the_log_cannot_be_removed_or_replaced_unseen(application: Application) -> None:
    bucket = application.outputs["CustodyLogBucketName"]
    put = application.s3.put_object(Bucket=bucket, Key="probe", Body=b"locked")
    with pytest.raises(application.s3.exceptions.ClientError) as refused:
        application.s3.delete_object(Bucket=bucket, Key="probe", VersionId=put["VersionId"])
    assert refused.value.response["Error"]["Code"] == "AccessDenied"


def test_a_place_that_nobody_knows(application: Application, api: Api) -> None:
    answer = api.get("/custody", bucket="nowhere", key="nothing")
    assert answer.status == 404
    assert "nothing in bucket nowhere" in answer.body["detail"]
    assert api_of(application, "replication").get("/custody", bucket="nowhere", key="nothing").status == 403


def test_what_others_do_in_a_watched_bucket_is_told_by_s3_itself(application: Application, api: Api) -> None:
    """Nothing of Waybill's has touched the file, in a bucket without versions: somebody put it, over it, and away."""
    s3, bucket, key = application.s3, application.quiet.name, "custody/watched é #1.txt"
    s3.put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration={"EventBridgeConfiguration": {}}, SkipDestinationValidation=True
    )
    # Minutes pass on AWS before it tells anything (Amazon S3 user guide, "Enabling Amazon EventBridge").
    probed = time.monotonic() - 2 * _BETWEEN_PROBES

    def is_told() -> bool:
        nonlocal probed
        if time.monotonic() - probed > _BETWEEN_PROBES:
            probed = time.monotonic()
            s3.put_object(Bucket=bucket, Key="custody/probe", Body=b"")
        return traced(api, bucket=bucket, key="custody/probe") is not None

    until(is_told, "S3 tells of the bucket", _UNTIL_S3_TELLS)
    s3.put_object(Bucket=bucket, Key=key, Body=b"one")
    s3.put_object(Bucket=bucket, Key=key, Body=b"other")
    s3.delete_object(Bucket=bucket, Key=key)

    def whole() -> Any:
        found = traced(api, bucket=bucket, key=key)
        return found if found and len(found["events"]) == 3 else None

    history = until(whole, "all three changes in the history")
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={})
    told = [(event["type"], event["object"]["versionId"], event["object"]["size"]) for event in history["events"]]
    assert told == [("creation", None, 3), ("creation", None, 5), ("deletion", None, None)]
    assert [event["detail"]["reason"] for event in history["events"]] == ["PutObject", "PutObject", "DeleteObject"]
    assert (history["coverage"], {event["workflow"] for event in history["events"]}) == (["waybill", "s3"], {"s3"})
    assert "127.0.0.1" not in repr(history)  # the address that it came from


def test_names_go_by_the_role_that_may_erase_alone(application: Application, source: Source, api: Api) -> None:
    """By the function's own role; late, when custody has heard of both copies of a file of this test's own."""
    key = "custody/to-be-erased.txt"
    source.put(key, b"whose name goes")
    asked = {"bucket": source.name, "key": key, "reason": "asked for by the person, case 4711"}

    def whole() -> Any:
        found = traced(api, bucket=source.name, key=key)
        return found if found and len(found["events"]) == 2 else None

    until(whole, "both copies in the history")
    assert api.post("/custody/erasures", asked).status == 403
    admin = api_of(application, "custody-admin")
    assert admin.get("/custody", bucket=source.name, key=key).status == 403
    seen = admin.post("/custody/erasures", asked | {"dryRun": True})
    places = {(place["bucket"], place["key"]) for place in seen.body["places"]}
    assert places == {(bucket, key) for bucket in (source.name, *application.destinations)}
    gone = admin.post("/custody/erasures", asked)
    assert (gone.status, gone.body["erased"]) == (200, True)
    for bucket, _ in places:
        assert api.get("/custody", bucket=bucket, key=key).status == 404
    assert admin.post("/custody/erasures", asked).status == 404
