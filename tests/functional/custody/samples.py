"""What the tests of custody write through the workflows' own stores."""

from datetime import UTC, datetime

from tests.functional.custody.conftest import CustodyOnMoto, table
from waybill.replication.adapters.table import TrackingTable
from waybill.replication.models import Checksum

NOW = datetime(2026, 11, 29, 11, tzinfo=UTC)
ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
# The same in base64, as S3 keeps it.
CHECKSUM = Checksum(algorithm="SHA256", value="ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=")


def tracking(custody: CustodyOnMoto) -> TrackingTable:
    return TrackingTable(custody.dynamodb, table("FileCopyTrackingTable"), history_days=90, now=lambda: NOW)
