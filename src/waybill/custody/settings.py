"""Environment variables of custody's functions; each function gets those that its handler reads."""

from typing import Annotated

from pydantic import Field

from waybill.core.settings import WaybillSettings


class LedgerSettings(WaybillSettings):
    """The custody table, and the key that others are derived from."""

    custody_table: str
    custody_mac_key_arn: str


class SwitchSettings(WaybillSettings):
    """Whether anything is recorded at all."""

    custody: bool = True


class LogBucketSettings(WaybillSettings):
    """The log's bucket, which is its name as well."""

    custody_log_bucket: str


class LogSettings(LogBucketSettings):
    """The log, and the key that signs it."""

    custody_key_arn: str


class SealingSettings(WaybillSettings):
    """How long a minute is over before what was recorded in it is sealed."""

    custody_settling_seconds: Annotated[int, Field(ge=0, le=3600)] = 180


class TrailSettings(WaybillSettings):
    """The table whose audit trails are sealed."""

    subject_access_table: str


class SourceSettings(TrailSettings):
    """The tables of the workflows."""

    file_copy_tracking_table: str
    identifiers_table: str
    consignments_table: str
    scans_table: str


class LinkSettings(WaybillSettings):
    """Where in keys of files their canonical ids are."""

    custody_identifier_pattern: str = ""


class WatchSettings(WaybillSettings):
    """Of which buckets S3 itself tells."""

    custody_watch_buckets: str = ""


class WorkflowBucketSettings(WaybillSettings):
    """Where workflows keep files."""

    consignment_upload_bucket: str
    consignment_clean_bucket: str
    consignment_quarantine_bucket: str
    subject_access_reports_bucket: str


class RefusalSettings(WaybillSettings):
    """Where records wait that custody does not understand."""

    custody_refused_queue_url: str
