"""Records of DynamoDB streams as changes."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, TypedDict

from waybill.core.aws.dynamodb import from_item
from waybill.core.errors import ConfigurationError
from waybill.custody.domain.interpreting import Workflow
from waybill.custody.domain.records.change import NO_RECORD, ItemChange

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef


class StreamImages(TypedDict, total=False):
    """An item before and behind a change, in DynamoDB's own JSON; what goes from a table has no new one."""

    NewImage: Mapping[str, "AttributeValueTypeDef"]
    OldImage: Mapping[str, "AttributeValueTypeDef"]


class StreamRecord(TypedDict):
    """One change of one item (Lambda developer guide, "Using AWS Lambda with Amazon DynamoDB")."""

    eventSourceARN: str
    dynamodb: StreamImages


class StreamEvent(TypedDict, total=False):
    """A batch of a stream; or `reconcile`, from the schedule."""

    Records: list[StreamRecord]
    reconcile: bool


def changes_of(
    records: Iterable[StreamRecord], tables: Mapping[str, Workflow]
) -> Iterator[tuple[Workflow, ItemChange]]:
    """Yield the changes that stream records are, with whose table it is; what goes from a table is none.

    Items go by time to live as well (Amazon DynamoDB Developer Guide, "DynamoDB Streams and Time to Live").

    Raises
    ------
    ConfigurationError
        The stream is of another table.
    """
    for record in records:
        images = record["dynamodb"]
        if "NewImage" in images:
            old = from_item(images["OldImage"]) if "OldImage" in images else NO_RECORD
            table = _table_of(record)
            if table not in tables:
                raise ConfigurationError(f"a stream of table {table}, which is none of the workflows', is read")
            yield tables[table], ItemChange(old, from_item(images["NewImage"]))


def _table_of(record: StreamRecord) -> str:
    """Return the table of a record: the ARN of a stream is `…:table/<name>/stream/<time>`."""
    return str(record["eventSourceARN"]).split(":table/", 1)[1].split("/", 1)[0]
