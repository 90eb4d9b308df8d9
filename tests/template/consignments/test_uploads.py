"""How uploads come in, and who else looks at them."""

import json

from tests.template.support.stack import Stack

# What registration signs (`upload_signing`), but for the length, which a browser states by itself.
SIGNED = {"x-amz-checksum-sha256", "x-amz-meta-sha256"}


def test_a_browser_sends_what_is_signed_from_the_named_origins_alone(stack: Stack) -> None:
    condition, given, without = stack.resources["ConsignmentUploadBucket"]["Properties"]["CorsConfiguration"]["Fn::If"]
    assert (condition, without) == ("SentByBrowsers", {"Ref": "AWS::NoValue"})
    (rule,) = given["CorsRules"]
    assert rule["AllowedMethods"] == ["PUT"]
    assert set(rule["AllowedHeaders"]) == SIGNED | {"content-type"}
    assert rule["AllowedOrigins"] == {"Fn::Split": [",", {"Ref": "ConsignmentUploadOrigins"}]}
    assert stack.template["Parameters"]["ConsignmentUploadOrigins"]["Default"] == ""


def test_the_plan_of_guardduty_is_of_the_uploads_and_of_nothing_else(stack: Stack) -> None:
    plan, role = stack.resources["UploadProtectionPlan"], stack.resources["UploadProtectionRole"]
    assert plan["Condition"] == role["Condition"] == "PlannedGuardDuty"
    assert plan["Properties"]["ProtectedResource"] == {"S3Bucket": {"BucketName": {"Ref": "ConsignmentUploadBucket"}}}
    # Without tags the checks would wait for a verdict that never comes.
    assert plan["Properties"]["Actions"] == {"Tagging": {"Status": "ENABLED"}}
    (policy,) = role["Properties"]["Policies"]
    resources = [json.dumps(each["Resource"]) for each in policy["PolicyDocument"]["Statement"]]
    allowed = ("${ConsignmentUploadBucket}", "DataKey", ":rule/DO-NOT-DELETE-AmazonGuardDutyMalwareProtectionS3*")
    assert all(any(name in resource for name in allowed) for resource in resources)
