"""The collaborators of the functions that draw, built when a handler first needs them."""

from functools import cache

from waybill.core.aws.clients import client
from waybill.core.clock import now
from waybill.core.settings import load
from waybill.subject_access.adapters.report_files import ReportFiles
from waybill.subject_access.domain.rendering import Rendering
from waybill.subject_access.runtime import catalogue, store
from waybill.subject_access.settings import BucketSettings


@cache
def rendering() -> Rendering:
    """Return what draws parts and reports."""
    files = ReportFiles(client("s3"), load(BucketSettings).subject_access_bucket)
    return Rendering(store(), catalogue(), files, now)
