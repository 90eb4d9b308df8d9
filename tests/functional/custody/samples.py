"""What comes of the sample events of custody, and what its tests write through the workflows' own stores."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.fakes.api import answer_of
from tests.fakes.samples import Invoke, read
from tests.fakes.wire import Wire
from tests.functional.custody.conftest import CustodyOnMoto, table
from waybill.replication.adapters.table import TrackingTable
from waybill.replication.models import Checksum

NOW = datetime(2026, 11, 29, 11, tzinfo=UTC)
ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
# The same in base64, as S3 keeps it.
CHECKSUM = Checksum(algorithm="SHA256", value="ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=")


def tracking(custody: CustodyOnMoto) -> TrackingTable:
    return TrackingTable(custody.dynamodb, table("FileCopyTrackingTable"), history_days=90, now=lambda: NOW)


@contextmanager
def _recorded() -> Iterator[CustodyOnMoto]:
    """Custody with what the sample of `RecordEventsFunction` tells."""
    with pytest.MonkeyPatch.context() as patched:
        custody = CustodyOnMoto(patched)
        custody.call("record_events", _of_this_stack(read("custody/record_events")))
        yield custody


def _of_this_stack(event: Any) -> Any:
    [record] = event["Records"]
    arn = record["eventSourceARN"].replace("waybill-FileCopyTrackingTable", table("FileCopyTrackingTable"))
    return {"Records": [record | {"eventSourceARN": arn}]}


def record_events(event: Any, invoke: Invoke, wire: Wire) -> None:
    with _recorded() as custody:
        recorded = custody.items()
        # The same delivery once more changes nothing.
        assert invoke(_of_this_stack(event)) == {"batchItemFailures": []}
        assert (custody.items(), custody.refused()) == (recorded, [])


def custody_api(event: Any, invoke: Invoke, wire: Wire) -> None:
    with _recorded():
        answer = answer_of(invoke(event))
        assert (answer.status, [one["type"] for one in answer.json["events"]]) == (200, ["replication"])


def erase_names(event: Any, invoke: Invoke, wire: Wire) -> None:
    with _recorded() as custody:
        answer = answer_of(invoke(event))
        assert (answer.status, answer.json["erased"], len(answer.json["places"])) == (200, True, 2)
        # Sent again, after an answer that was lost: nothing is known of the place any more.
        assert answer_of(invoke(event)).status == 404
        assert "reports/2026/annual.pdf" not in repr(custody.items())


def seal_events(event: Any, invoke: Invoke, wire: Wire) -> None:
    with _recorded() as custody:
        custody.at += timedelta(minutes=10)
        first, second = invoke(event), invoke(event)
        assert first["added"] > 0
        assert (first["missing"], second) == (0, {"added": 0, "missing": 0})


def verify_custody(event: Any, invoke: Invoke, wire: Wire) -> None:
    with _recorded() as custody:
        sealed = custody.seal()
        # Of a log that nothing has verified yet, everything is read again.
        assert invoke(event) == {"entries": sealed["added"], "readAgain": sealed["added"], "waiting": 0}
