"""What `make lint` asks parliament, and what the list of what is allowed leaves out of it."""

import pytest

from scripts import security
from scripts.template import transformed_template


@pytest.fixture(scope="module")
def deployment() -> security.Deployment:
    if not (security.PROJECT / ".local" / "security").exists():
        pytest.skip("parliament is not installed: scripts/setup --tool security")
    return security.deployed(transformed_template())


def test_an_action_that_aws_does_not_know_is_found(deployment: security.Deployment) -> None:
    """Service Authorization Reference, "Actions, resources, and condition keys for Amazon S3"."""
    policy = deployment.resources["ReadSourcesPolicy"]["Properties"]["PolicyDocument"]
    statement = {"Effect": "Allow", "Action": "s3:GetObjct", "Resource": "arn:aws:s3:::a/*"}
    policy["Statement"].append(statement)
    try:
        found = [one for one in security.by_parliament(deployment) if one.resource == "ReadSourcesPolicy"]
    finally:
        policy["Statement"].remove(statement)
    assert [one.check for one in found] == ["UNKNOWN_ACTION"]


def test_what_is_allowed_is_allowed_for_the_resources_that_are_named() -> None:
    finding = security.Finding("CKV_1", "Bucket", "Ensure something")
    assert security.is_allowed(finding, {"CKV_1": {"reason": "Because."}})
    assert security.is_allowed(finding, {"CKV_1": {"reason": "Because.", "resources": ["Bucket"]}})
    assert not security.is_allowed(finding, {"CKV_1": {"reason": "Because.", "resources": ["Queue"]}})
    assert not security.is_allowed(finding, {"CKV_1": {"reason": "Because.", "text": "anything"}})
    assert security.is_allowed(finding, {"CKV_1": {"reason": "Because.", "texts": ["anything", "some"]}})
    assert not security.is_allowed(finding, {"CKV_1": {"reason": "Because.", "texts": ["anything"]}})
    assert not security.is_allowed(finding, {"CKV_2": {"reason": "Because."}})
