"""The collaborators of the functions that draw, built when a handler first needs them."""

from functools import cache

from waybill.core.aws import client
from waybill.core.clock import now
from waybill.core.settings import load
from waybill.subject_access.rendering import Rendering
from waybill.subject_access.report_files import ReportFiles
from waybill.subject_access.settings import BucketSettings
from waybill.subject_access.wiring import catalogue, store


@cache
def rendering() -> Rendering:
    """Return what draws parts and reports."""
    files = ReportFiles(client("s3"), load(BucketSettings).subject_access_bucket)
    return Rendering(store(), catalogue(), files, now)
