"""How long a message can be hidden.

The twelve hours count from its receipt: a visibility time-out that would end later is refused (Amazon SQS API
Reference, ChangeMessageVisibility: `InvalidParameterValue`, "Total VisibilityTimeout for the message is beyond the
limit"). MiniStack counts from the call.
"""

import time
from typing import Any

from ministack.services import sqs

_MOST_SECONDS = 43_200
_TOO_LONG = "Total VisibilityTimeout for the message is beyond the limit [43200 seconds]"
_RECEIVED_AT = "last_receive_at"


def mend() -> None:
    """Note when a message is received, and refuse what would hide it for longer than twelve hours from then."""
    _note_receipts()
    change, change_batch = sqs._act_change_visibility, sqs._act_change_visibility_batch

    def change_limited(data: dict[str, Any], url: str) -> Any:
        if _too_long(data.get("QueueUrl", url), data):
            told = f"Value {data['VisibilityTimeout']} for parameter VisibilityTimeout is invalid. Reason: {_TOO_LONG}."
            raise sqs._Err("InvalidParameterValue", told)
        return change(data, url)

    def change_batch_limited(data: dict[str, Any], url: str) -> Any:
        queue = data.get("QueueUrl", url)
        refused = [entry for entry in data.get("Entries", []) if _too_long(queue, entry)]
        rest = [entry for entry in data.get("Entries", []) if entry not in refused]
        answer = change_batch({**data, "Entries": rest}, url) if rest else {"Successful": [], "Failed": []}
        for entry in refused:
            why = {"Code": "InvalidParameterValue", "Message": _TOO_LONG, "SenderFault": True}
            answer["Failed"].append({"Id": entry.get("Id", ""), **why})
        return answer

    sqs._HANDLERS["ChangeMessageVisibility"] = change_limited
    sqs._HANDLERS["ChangeMessageVisibilityBatch"] = change_batch_limited


def _note_receipts() -> None:
    collect = sqs._collect_msgs

    def collect_and_note(*args: Any) -> Any:
        received = collect(*args)
        for message in received:
            message[_RECEIVED_AT] = time.time()
        return received

    sqs._collect_msgs = collect_and_note


def _too_long(url: str, wanted: dict[str, Any]) -> bool:
    seconds = int(wanted.get("VisibilityTimeout", 0))
    handle = wanted.get("ReceiptHandle")
    messages = sqs._get_q(url)["messages"]
    received = next((each.get(_RECEIVED_AT) for each in messages if each["receipt_handle"] == handle), None)
    return received is not None and time.time() + seconds > received + _MOST_SECONDS
