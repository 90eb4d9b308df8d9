"""What the replication functions read from their environment."""

import json

import pytest

from waybill.core.errors import ConfigurationError
from waybill.core.settings import load
from waybill.replication.models import GIB, MIB, CopyLimits, DestinationOptions
from waybill.replication.settings import (
    CopyLimitSettings,
    DestinationSettings,
    FileCopyWorkflowSettings,
    LoopGuardSettings,
    ReconcileSettings,
    RoutingSettings,
    TrackingSettings,
)


@pytest.mark.parametrize(
    ("text", "names"),
    [("a-b,c-d", ("a-b", "c-d")), (" a-b , c-d ,", ("a-b", "c-d")), ("a-b", ("a-b",))],
)
def test_bucket_lists_are_separated_by_commas(
    monkeypatch: pytest.MonkeyPatch, text: str, names: tuple[str, ...]
) -> None:
    monkeypatch.setenv("DESTINATION_BUCKETS", text)
    assert load(RoutingSettings).destination_buckets == names


def test_what_is_not_set_has_the_default_of_the_guide() -> None:
    assert load(CopyLimitSettings).limits() == CopyLimits(5 * GIB, 64 * GIB, 256 * MIB, 100, 16)
    assert load(DestinationSettings).destination_options == {}
    assert load(LoopGuardSettings).source_bucket is None


def test_an_empty_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FILE_COPY_WORKFLOW_ARN", "arn:a")
    monkeypatch.setenv("FILE_COPY_EXPRESS_WORKFLOW_ARN", "")
    monkeypatch.setenv("DESTINATION_OPTIONS", "")
    assert load(FileCopyWorkflowSettings).file_copy_express_workflow_arn is None
    assert load(DestinationSettings).destination_options == {}


def test_options_are_read_by_destination(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {
        "kmsKeyId": "key",
        "storageClass": "STANDARD_IA",
        "acl": "private",
        "objectLock": True,
        "tags": False,
        "owner": "123456789012",
    }
    monkeypatch.setenv("DESTINATION_OPTIONS", json.dumps({"region-a-builds": given, "region-b-builds": {}}))
    assert load(DestinationSettings).destination_options == {
        "region-a-builds": DestinationOptions(
            kms_key_id="key",
            storage_class="STANDARD_IA",
            acl="private",
            object_lock=True,
            tags=False,
            owner="123456789012",
        ),
        "region-b-builds": DestinationOptions(),
    }
    assert DestinationOptions().tags is True


@pytest.mark.parametrize(
    ("settings", "variable", "value"),
    [
        (TrackingSettings, "FILE_COPY_TRACKING_TABLE", ""),
        (FileCopyWorkflowSettings, "FILE_COPY_WORKFLOW_ARN", ""),
        (RoutingSettings, "DESTINATION_BUCKETS", ""),
        (DestinationSettings, "DESTINATION_OPTIONS", "{secret"),
        (DestinationSettings, "DESTINATION_OPTIONS", '["secret"]'),
        (DestinationSettings, "DESTINATION_OPTIONS", '{"region-a-builds": {"kmsKeyID": "secret"}}'),
        (DestinationSettings, "DESTINATION_OPTIONS", '{"region-a-builds": {"objectLock": "secret"}}'),
        (CopyLimitSettings, "SINGLE_COPY_MAX_BYTES", str(5 * GIB + 1)),
        (CopyLimitSettings, "PART_SIZE_BYTES", str(5 * MIB - 1)),
        (CopyLimitSettings, "PART_CONCURRENCY", "0"),
        (CopyLimitSettings, "PARTS_PER_BATCH", "secret"),
        (ReconcileSettings, "RECONCILE_AFTER_MINUTES", "-1"),
    ],
)
def test_a_variable_that_is_unusable_is_named_and_its_value_is_not(
    monkeypatch: pytest.MonkeyPatch, settings: type, variable: str, value: str
) -> None:
    monkeypatch.setenv("FILE_COPY_TRACKING_TABLE", "table")
    monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigurationError, match=variable) as raised:
        load(settings)
    assert "secret" not in str(raised.value)
