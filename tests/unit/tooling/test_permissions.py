"""The document of the permissions: how it reads the template, and that it goes stale loudly."""

from pathlib import Path
from typing import Any

import pytest

from scripts import permissions
from scripts.template import readable, readable_list

PARTITION = {"Ref": "AWS::Partition"}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("arn:aws:s3:::*", "arn:aws:s3:::*"),
        (60, "60"),
        ({"Ref": "FailureTopic"}, "FailureTopic"),
        ({"Ref": "AWS::AccountId"}, "<account>"),
        ({"Fn::GetAtt": "SourceBucket.Arn"}, "SourceBucket"),
        ({"Fn::GetAtt": ["Table", "Arn"]}, "Table"),
        ({"Fn::GetAtt": "Queue.QueueName"}, "Queue.QueueName"),
        ({"Fn::Sub": "arn:${AWS::Partition}:s3:::${SourceBucket}/*"}, "arn:aws:s3:::<SourceBucket>/*"),
        ({"Fn::Sub": "${Table.Arn}/index/ByStatus"}, "<Table.Arn>/index/ByStatus"),
        ({"Fn::If": ["Production", "a", "b"]}, "a"),
        ({"Fn::Join": ["", ["arn:", PARTITION, ":s3:::", {"Ref": "Name"}]]}, "arn:aws:s3:::<Name>"),
    ],
)
def test_a_value_is_readable(value: Any, text: str) -> None:
    assert readable(value) == text


def test_a_value_of_another_form_is_refused() -> None:
    with pytest.raises(ValueError, match="no readable form"):
        readable({"Fn::Select": [0, ["a", "b"]]})


def test_a_list_that_a_parameter_holds_is_named() -> None:
    names = {"Fn::Split": [",", {"Ref": "Buckets"}]}
    objects = {"Fn::Join": ["", ["arn:aws:s3:::", {"Fn::Join": ["/*,arn:aws:s3:::", names]}, "/*"]]}
    assert readable_list(names) == ["<Buckets>"]
    assert readable_list({"Fn::Split": [",", objects]}) == ["arn:aws:s3:::<Buckets>/*"]


def test_a_statement_without_a_reason_is_refused() -> None:
    policy = {"Statement": [{"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": "*"}]}
    with pytest.raises(ValueError, match=r"Policy: the statement about s3:GetObject, s3:PutObject has no comment"):
        permissions.rows_of("Policy", policy)


def test_a_document_that_differs_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stale = tmp_path / "permissions.md"
    stale.write_text(permissions.document().replace("tell people", "tell nobody"))
    monkeypatch.setattr(permissions, "DOCUMENT", stale)
    monkeypatch.setattr("sys.argv", ["permissions", "--check"])
    assert permissions.main() == 1
    printed = capsys.readouterr().err
    assert "-| `sns:Publish` | `FailureTopic` | tell nobody |" in printed
    assert printed.endswith("run scripts/permissions\n")
    assert "tell nobody" in stale.read_text()


def test_policies_of_aws_are_about_everything_and_said_to_be() -> None:
    """AWS Managed Policy Reference Guide: the resource of those that SAM adds for event sources and VPCs is `*`."""
    rows = [line for line in permissions.document().splitlines() if line.startswith("| `AWSLambda")]
    assert len(rows) > 5
    assert [row for row in rows if row.split(" | ")[1] != "`*`"] == []


def test_a_document_is_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(permissions, "DOCUMENT", tmp_path / "permissions.md")
    monkeypatch.setattr("sys.argv", ["permissions"])
    assert permissions.main() == 0
    monkeypatch.setattr("sys.argv", ["permissions", "--check"])
    assert permissions.main() == 0
