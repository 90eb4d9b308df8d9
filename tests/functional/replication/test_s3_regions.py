"""Every request goes to the Region of its bucket."""

from typing import Any

import pytest
from botocore.exceptions import ConnectTimeoutError

from tests.fakes.runs import DESTINATIONS, KEY, SOURCE, facts
from tests.fakes.wire import Wire
from tests.functional.replication.conftest import buckets_with
from waybill.core.aws.clients import client
from waybill.replication.adapters.s3 import S3Buckets
from waybill.replication.errors import NoSuchBucketError, S3UnavailableError, ThrottledError
from waybill.replication.models import ObjectPlace

FAR = "far-builds"


@pytest.fixture
def far(s3: Any, wire: Wire) -> Any:
    """A destination in another Region, and a source."""
    s3.put_object(Bucket=SOURCE, Key=KEY, Body=b"abc")
    client("s3", "us-west-2").create_bucket(Bucket=FAR, CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    wire.clear()
    return s3


def test_a_copy_is_asked_for_in_the_destinations_region(buckets: S3Buckets, far: Any, wire: Wire) -> None:
    source = buckets.describe_source(SOURCE, KEY, version_id=None, e_tag=None)
    buckets.copy(source, ObjectPlace(FAR, KEY))
    assert buckets.find(ObjectPlace(FAR, KEY))
    hosts = {name: [request.host for request in wire.of(name)] for name in ("s3.HeadObject", "s3.CopyObject")}
    assert hosts == {
        "s3.HeadObject": [f"{SOURCE}.s3.eu-west-1.amazonaws.com", f"{FAR}.s3.us-west-2.amazonaws.com"],
        "s3.CopyObject": [f"{FAR}.s3.us-west-2.amazonaws.com"],
    }


def test_an_upload_stays_in_the_destinations_region(buckets: S3Buckets, far: Any, wire: Wire) -> None:
    source, place = facts(), ObjectPlace(FAR, KEY)
    upload_id = buckets.create_upload(source, buckets.headers(source), place)
    buckets.copy_part(source, place, upload_id, 1, (0, 2))
    buckets.complete_upload(place, upload_id, buckets.parts(place, upload_id))
    asked = [request for request in wire.requests if FAR in request.host and "location" not in request.url]
    assert {request.host for request in asked} == {f"{FAR}.s3.us-west-2.amazonaws.com"}
    assert len(asked) == 4


def test_a_region_is_looked_up_once_per_bucket(buckets: S3Buckets, far: Any, wire: Wire) -> None:
    for _ in range(3):
        buckets.copy(facts(), ObjectPlace(FAR, KEY))
        buckets.copy(facts(), ObjectPlace(DESTINATIONS[0], KEY))
    assert wire.counts == {"s3.GetBucketLocation": 2, "s3.CopyObject": 6}


@pytest.mark.parametrize(
    ("location", "region"), [("", "us-east-1"), ("EU", "eu-west-1"), ("ap-southeast-2", "ap-southeast-2")]
)
def test_old_names_of_regions_are_understood(s3: Any, wire: Wire, location: str, region: str) -> None:
    wire.answer("s3.GetBucketLocation", 200, f"<LocationConstraint>{location}</LocationConstraint>")
    wire.answer("s3.CopyObject", 200, "<CopyObjectResult><ETag>e</ETag></CopyObjectResult>")
    buckets_with({}).copy(facts(), ObjectPlace("any-builds", KEY))
    assert wire.of("s3.CopyObject")[0].host in {f"any-builds.s3.{region}.amazonaws.com", "any-builds.s3.amazonaws.com"}


def test_who_may_not_ask_for_the_region_follows_s3_there(buckets: S3Buckets, far: Any, wire: Wire) -> None:
    # Another account's bucket: S3 redirects the copy, and names the Region in a header.
    wire.refuse("s3.GetBucketLocation", "AccessDenied", "Access Denied", status=403)
    wire.answer(
        "s3.CopyObject",
        301,
        "<Error><Code>PermanentRedirect</Code></Error>",
        headers={"x-amz-bucket-region": "us-west-2"},
        when=lambda request: "eu-west-1" in request.host,
    )
    buckets.copy(facts(), ObjectPlace(FAR, KEY))
    assert wire.of("s3.CopyObject")[-1].host == f"{FAR}.s3.us-west-2.amazonaws.com"
    assert client("s3", "us-west-2").get_object(Bucket=FAR, Key=KEY)["Body"].read() == b"abc"


def test_a_missing_bucket_is_told_by_its_location(buckets: S3Buckets, s3: Any, wire: Wire) -> None:
    with pytest.raises(NoSuchBucketError, match="s3:GetBucketLocation on no-such-bucket: NoSuchBucket"):
        buckets.copy(facts(), ObjectPlace("no-such-bucket", KEY))
    assert wire.counts == {"s3.GetBucketLocation": 1}


def test_a_lookup_that_fails_is_not_remembered(buckets: S3Buckets, far: Any, wire: Wire) -> None:
    wire.refuse("s3.GetBucketLocation", "SlowDown", status=503, times=3)
    with pytest.raises(ThrottledError):
        buckets.copy(facts(), ObjectPlace(FAR, KEY))
    wire.cut("s3.GetBucketLocation", ConnectTimeoutError(endpoint_url="x"), times=3)
    with pytest.raises(S3UnavailableError, match="s3:GetBucketLocation on far-builds"):
        buckets.copy(facts(), ObjectPlace(FAR, KEY))
    buckets.copy(facts(), ObjectPlace(FAR, KEY))
    assert [request.host for request in wire.of("s3.CopyObject")] == [f"{FAR}.s3.us-west-2.amazonaws.com"]
