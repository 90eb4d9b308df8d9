"""The completion report of a backfill as an object in S3."""

import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from waybill.replication.adapters.s3_errors import translate
from waybill.replication.domain.backfill_job import BackfillJob, ObjectLine
from waybill.replication.domain.backfill_report import write_report

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_SCHEME = "s3://"


def bucket_of_report(where: str | None) -> str | None:
    """Return the bucket of a report at `s3://BUCKET/KEY`; None where it goes elsewhere."""
    bucket, _, key = (where or "").removeprefix(_SCHEME).partition("/")
    return bucket if where and where.startswith(_SCHEME) and bucket and key else None


def put_report(client: "S3Client", job: BackfillJob, lines: Iterable[ObjectLine]) -> None:
    """Write the report of `job` where its record says, in the place of what was there.

    Raises
    ------
    WaybillError
        S3 refuses it, or cannot be reached.
    """
    bucket, _, key = (job.report or "").removeprefix(_SCHEME).partition("/")
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "report.csv"
        with made.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
            write_report(job, lines, file)
        try:
            with made.open("rb") as written:
                client.upload_fileobj(written, bucket, key, ExtraArgs={"ContentType": "text/csv"})
        except (ClientError, BotoCoreError) as error:
            raise translate(error, "PutObject", f"{bucket}/{key}") from error
