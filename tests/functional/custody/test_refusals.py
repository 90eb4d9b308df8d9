"""Where the log's bucket or a key refuses: it is said, nothing is lost, and what waits is done once they take it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.functional.custody.conftest import CustodyOnMoto
from tests.functional.custody.test_traces import RUNS, notice, recorded, traced
from waybill.core import settings
from waybill.custody import runtime
from waybill.custody.adapters.kms import KmsKeys
from waybill.custody.errors import CustodyRefusedError

__all__ = ["recorded"]


@contextmanager
def another_bucket(custody: CustodyOnMoto, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The log's bucket is one that nobody lets in."""
    with monkeypatch.context() as patched:
        patched.setenv("CUSTODY_LOG_BUCKET", "no-such-bucket")
        settings.load.cache_clear()
        yield
    settings.load.cache_clear()


def test_a_bucket_that_refuses_is_told_and_loses_nothing(
    recorded: CustodyOnMoto, monkeypatch: pytest.MonkeyPatch
) -> None:
    with another_bucket(recorded, monkeypatch):
        recorded.at = recorded.at.replace(hour=13)
        for handler in ("seal_events", "verify_custody"):
            with pytest.raises(CustodyRefusedError, match="NoSuchBucket"):
                recorded.call(handler, {})
        answer = traced(bucket="source-bucket", key="nothing")
        assert answer.status == 404
    assert recorded.seal() == {"added": RUNS, "missing": 0}
    assert recorded.call("verify_custody", {})["entries"] == RUNS


class _Disabled:
    def generate_mac(self, **_: object) -> Any:
        raise ClientError({"Error": {"Code": "DisabledException", "Message": "is disabled"}}, "GenerateMac")


def test_a_disabled_key_lets_a_batch_come_again_and_nothing_is_recorded_halfway(
    recorded: CustodyOnMoto, monkeypatch: pytest.MonkeyPatch
) -> None:
    """AWS KMS API reference, GenerateMac: DisabledException."""
    before, batch = recorded.items(), {"Records": [notice("Object Created", 1)]}
    disabled: Any = _Disabled()
    with monkeypatch.context() as patched:
        patched.setattr(runtime, "keys", lambda: KmsKeys(disabled, "key"))
        with pytest.raises(CustodyRefusedError, match="DisabledException"):
            recorded.call("record_events", batch)
    assert recorded.items() == before
    assert recorded.call("record_events", batch) == {"batchItemFailures": []}
    assert [event["type"] for event in traced(bucket="watched", key="a #é.txt").json["events"]] == ["creation"]
