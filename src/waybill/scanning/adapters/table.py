"""The table of the scanner: the one module that knows its keys.

pk                 sk                                        item
JOBS               <created>#<job>                           a job in the list of jobs, and whether its end was told
JOB#<job>          META                                      the job, its totals once they are final
JOB#<job>          RANGE#<number>                            a range of its keys, how far it is listed, its totals
JOB#<job>          TAKEN#<page>#<sha1 of first key>          that the objects of a slice are counted as begun
JOB#<job>#<range>  PAGE#<number>                             a page of the listing, its objects compressed
JOB#<job>          TRIED#<page>#<sha1 of first key>#<n>      how often a slice that killed a worker was begun since
JOB#<job>          OBJ#<sha1 of key>                         the outcome of an object
JOB#<job>          OBJ#<sha1 of key>#<page>                  that an inventory tells of the object once more
JOB#<job>          CNT#<shard>                               sums over outcomes: one item takes 1,000 writes a second
JOB#<job>          F#<sha1 of key>#<etag>#<offset>#<detector>  a finding; of a member, and a hash of its name
VALUES#<digit>     <fingerprint>#SEEN#<sha1 of bucket>       where a value was seen last in a bucket
VALUES#<digit>     <fingerprint>#DECISION                    what people have said of it, the last of it last
DETECTORS          NEWEST#<id>, VERSION#<id>#<number>        a detector of the stack's own
SCHEDULES          <id>                                      a scan that is made again and again
UPLOADS            <window>#<bucket>                         that there are uploads in a window, and their job
UPLOADS#<window>#<bucket>#<digit>  <sha1 of key>             the newest upload of a key in a window
UPLOADED#<bucket>#<sha1 of key>  NEWEST                      up to which `sequencer` uploads of a key were noted
OBJCACHE#<bucket>  <sha1 of key>#<etag>#<rules>              what was found in this state, until `expires`
"""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from waybill.scanning.adapters.detector_table import DetectorTable
from waybill.scanning.adapters.finding_table import FindingTable
from waybill.scanning.adapters.item_table import ItemTable
from waybill.scanning.adapters.job_table import JobTable
from waybill.scanning.adapters.outcome_table import OutcomeTable
from waybill.scanning.adapters.range_table import RangeTable
from waybill.scanning.adapters.schedule_table import ScheduleTable
from waybill.scanning.adapters.upload_table import UploadTable
from waybill.scanning.adapters.value_table import ValueTable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class ScansTable:
    """The kinds of records in the one table; `client` is a boto3 `dynamodb` client."""

    def __init__(self, client: "DynamoDBClient", name: str, *, now: Callable[[], datetime]) -> None:
        items = ItemTable(client, name, now=now)
        self.jobs = JobTable(items)
        self.ranges = RangeTable(items)
        self.outcomes = OutcomeTable(items)
        self.findings = FindingTable(items)
        self.values = ValueTable(items)
        self.detectors = DetectorTable(items)
        self.schedules = ScheduleTable(items)
        self.uploads = UploadTable(items)
