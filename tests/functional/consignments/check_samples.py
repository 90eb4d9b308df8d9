"""What comes of the sample event of CheckFiles."""

import json
from typing import Any

import boto3

from tests.fakes.samples import Invoke
from tests.fakes.wire import Wire
from tests.functional.consignments.bench import make_table

CONTENT = b"Minutes of the meeting.\n"
BUCKETS = ("ConsignmentUploadBucket", "ConsignmentResultsBucket", "ConsignmentRulesBucket")


def check_files(event: Any, invoke: Invoke, wire: Wire) -> None:
    s3 = boto3.client("s3")
    # The template's names, which S3 would not take: the sample names buckets by them.
    for bucket in BUCKETS:
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    make_table("ConsignmentsTable")
    [record] = event["files"]
    s3.put_object(Bucket=record["s3SourceBucket"], Key=record["s3SourceBucketKey"], Body=CONTENT)
    answer = invoke(event)
    assert answer == {
        "resultKey": event["resultKey"],
        "files": 1,
        "counts": {"antivirus": 1, "checksum": 1, "fileFormat": 1},
    }
    kept = s3.get_object(Bucket="ConsignmentResultsBucket", Key=event["resultKey"])["Body"].read()
    [line] = [json.loads(text) for text in kept.splitlines()]
    assert line["fileCheckResults"]["checksum"][0]["sha256Checksum"] == record["clientChecksum"]
    assert line["fileCheckResults"]["antivirus"][0]["result"] == ""
    assert line["fileCheckResults"]["fileFormat"][0]["matches"][0]["puid"] == "x-fmt/111"
