"""The resources of the consignment checks on moto, and the workflow's states run in their order."""

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from tests.fakes.api import Answer, LambdaContext, answer_of, request_event
from tests.fakes.functions import REGION
from tests.fakes.wire import Wire
from tests.functional.core.samples import make_failure_topic
from waybill.consignments import runtime
from waybill.consignments.handlers.consignments_api import lambda_handler as api
from waybill.core.aws.clients import client

UPLOADS, CLEAN, QUARANTINE, RESULTS = (f"consignment-{name}" for name in ("uploads", "clean", "quarantine", "results"))
TABLE = "consignments"
_COLLABORATORS = (
    runtime.table,
    runtime.executions,
    runtime.execution_states,
    runtime.starter,
    runtime.copy_targets,
    runtime.notifier,
)

type Checks = dict[str, list[Any]]
# What the check of a file gives: the record and the content, to the three lists; None fails its whole group.
type Checker = Callable[[Mapping[str, Any], bytes], Checks | None]


def format_result(*puids: str | None, **more: Any) -> dict[str, Any]:
    """A file format result with these matches."""
    matches = [{"puid": puid, "identificationBasis": "Signature" if puid else "", "extension": "x"} for puid in puids]
    return {"software": "Siegfried", "softwareVersion": "1", "matches": matches, **more}


def virus_result(result: str = "") -> dict[str, Any]:
    """An antivirus result; empty is clean."""
    return {"software": "yara-x", "softwareVersion": "1", "databaseVersion": "rules-1", "result": result}


def clean_check(record: Mapping[str, Any], content: bytes) -> Checks:
    """What becomes of a file that nothing is wrong with."""
    return {
        "antivirus": [virus_result()],
        "checksum": [{"sha256Checksum": hashlib.sha256(content).hexdigest()}],
        "fileFormat": [format_result("fmt/18")],
    }


class Broken(Exception):
    """A state failed for good."""


def make_table(name: str) -> None:
    """Make the consignments table, as the template has it."""
    keys = ("pk", "sk")
    client("dynamodb").create_table(
        TableName=name,
        KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in zip(keys, ("HASH", "RANGE"), strict=True)],
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
        BillingMode="PAY_PER_REQUEST",
    )


@dataclass
class Workbench:
    """AWS on moto."""

    wire: Wire
    check: Checker = clean_check
    broken: dict[str, str] = field(default_factory=dict)

    @classmethod
    def made(cls, wire: Wire) -> "Workbench":
        """Make the resources, and set the environment of all functions."""
        for collaborator in _COLLABORATORS:
            collaborator.cache_clear()
        make_table(TABLE)
        s3 = client("s3")
        for bucket in (UPLOADS, CLEAN, QUARANTINE, RESULTS):
            s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
        s3.put_bucket_versioning(Bucket=UPLOADS, VersioningConfiguration={"Status": "Enabled"})
        machine = client("stepfunctions").create_state_machine(
            name="waybill-consignments",
            # moto runs it: one that waits is one that is under way.
            definition=json.dumps(
                {"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 600, "End": True}}}
            ),
            roleArn="arn:aws:iam::123456789012:role/any",
        )
        os.environ.update(
            CONSIGNMENTS_TABLE=TABLE,
            CONSIGNMENT_UPLOAD_BUCKET=UPLOADS,
            CONSIGNMENT_CLEAN_BUCKET=CLEAN,
            CONSIGNMENT_QUARANTINE_BUCKET=QUARANTINE,
            CONSIGNMENT_RESULTS_BUCKET=RESULTS,
            CONSIGNMENT_CHECKS_WORKFLOW_ARN=machine["stateMachineArn"],
            FAILURE_TOPIC_ARN=make_failure_topic(),
        )
        return cls(wire)

    def ask(self, method: str, path: str, *, who: str = "alice", roles: str = "consignments", **more: Any) -> Answer:
        """Send a request to the API."""
        event = request_event(method, path, identity={"subject": who, "roles": roles}, **more)
        return answer_of(api(event, LambdaContext()))

    def register(self, content: Mapping[str, bytes], **changes: Any) -> dict[str, Any]:
        """Register a consignment of these files, by their paths."""
        body = {
            "type": "standard",
            "reference": "TDR-2026-A",
            "transferringBody": "A Body",
            "files": [described(path, content) for path, content in content.items()],
            **changes,
        }
        answer = self.ask("POST", "/consignments", body=body)
        assert answer.status == 201, answer.text
        registered: dict[str, Any] = answer.json
        return registered

    def upload(self, registered: Mapping[str, Any], files: Mapping[str, bytes]) -> None:
        """Upload the files of a registration."""
        for file in registered["files"]:
            client("s3").put_object(Bucket=UPLOADS, Key=file["uploadKey"], Body=files[file["path"]])

    def received(self, files: Mapping[str, bytes], **changes: Any) -> str:
        """Register and upload; return the consignment's id."""
        registered = self.register(files, **changes)
        self.upload(registered, files)
        return str(registered["consignmentId"])

    def run(self, consignment_id: str, name: str = "run-1") -> dict[str, Any]:
        """Run the workflow's states as the state machine does; return the answer of its last one."""
        return ConsignmentRun(self, consignment_id, name).all()

    def shown(self, consignment_id: str) -> dict[str, Any]:
        """The consignment as the API shows it."""
        shown: dict[str, Any] = self.ask("GET", f"/consignments/{consignment_id}").json
        return shown

    def files(self, consignment_id: str) -> dict[str, dict[str, Any]]:
        """The files as the API shows them, by their paths."""
        page = self.ask("GET", f"/consignments/{consignment_id}/files").json
        return {file["path"]: file for file in page["files"]}

    def keys(self, bucket: str) -> list[str]:
        """The keys in a bucket."""
        return [each["Key"] for each in client("s3").list_objects_v2(Bucket=bucket).get("Contents", [])]

    def lines(self, key: str) -> list[dict[str, Any]]:
        """The lines of a document of a run."""
        body = client("s3").get_object(Bucket=RESULTS, Key=key)["Body"].read()
        return [json.loads(line) for line in body.decode().splitlines()]


def described(path: str, content: bytes) -> dict[str, Any]:
    """A file as it is registered."""
    return {"path": path, "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}


@dataclass
class ConsignmentRun:
    """One execution: each state's handler, with what the state machine gives it."""

    bench: Workbench
    consignment_id: str
    name: str
    started_at: str = "2026-11-22T10:00:00Z"
    fetched: dict[str, Any] = field(default_factory=dict)
    judged: dict[str, Any] = field(default_factory=dict)
    gathered: dict[str, Any] = field(default_factory=dict)

    @property
    def arn(self) -> str:
        """The execution's ARN."""
        return f"arn:aws:states:{REGION}:123456789012:execution:waybill-consignments:{self.name}"

    @property
    def context(self) -> dict[str, Any]:
        """What every state is given."""
        return {
            "consignmentId": self.consignment_id,
            "executionName": self.name,
            "executionId": self.arn,
            # Runs of the same moment are in the order of their names.
            "executionStartTime": self.started_at,
        }

    def state(self, name: str, **more: Any) -> dict[str, Any]:
        """Run the handler of one state."""
        if name in self.bench.broken:
            raise Broken(self.bench.broken[name])
        handler = import_module(f"waybill.consignments.handlers.{name}").lambda_handler
        answer: dict[str, Any] = handler({**self.context, **more}, LambdaContext())
        return answer

    def all(self) -> dict[str, Any]:
        """Run every state."""
        self.begin()
        self.check()
        return self.end()

    def begin(self) -> None:
        """Run the states before the Map."""
        self.fetched = self.state("get_files", input={"consignmentId": self.consignment_id})
        client("dynamodb").update_item(
            TableName=TABLE,
            Key={"pk": {"S": self.consignment_id}, "sk": {"S": "CONSIGNMENT"}},
            UpdateExpression="SET #status = :status, statuses = :statuses",
            ExpressionAttributeNames={"#status": "status"},
            ExpressionAttributeValues={
                ":status": {"S": "InProgress"},
                ":statuses": {"M": {"ServerFFID": {"S": "InProgress"}}},
            },
        )

    def check(self) -> None:
        """Run the Map's children."""
        for group in self.bench.lines(self.fetched["key"]):
            self._check_group(group)

    def _check_group(self, group: Mapping[str, Any]) -> None:
        lines, s3 = [], client("s3")
        for record in group["files"]:
            content = s3.get_object(
                Bucket=record["s3SourceBucket"], Key=record["s3SourceBucketKey"], VersionId=record["versionId"]
            )["Body"].read()
            checks = self.bench.check(record, content)
            if checks is None:
                self._progress(group, dict.fromkeys(("antivirus", "checksum", "fileFormat"), 0), "Sandbox.Timedout")
                return
            lines.append({**record, "fileCheckResults": checks})
        body = "\n".join(json.dumps(line) for line in lines)
        s3.put_object(Bucket=RESULTS, Key=group["resultKey"], Body=body.encode())
        names = ("antivirus", "checksum", "fileFormat")
        counts = {name: sum(bool(line["fileCheckResults"][name]) for line in lines) for name in names}
        self._progress(group, counts, "")

    def _progress(self, group: Mapping[str, Any], counts: Mapping[str, int], error: str) -> None:
        item = {"pk": {"S": group["consignmentId"]}, "sk": {"S": group["progressKey"]}, "error": {"S": error}}
        client("dynamodb").put_item(
            TableName=TABLE, Item=item | {name: {"N": str(number)} for name, number in counts.items()}
        )

    def end(self) -> dict[str, Any]:
        """Run the states after the Map."""
        self.gathered = self.state("process_map_results")
        self.state("redacted_files")
        self.judged = self.state("generate_statuses")
        if self.judged["copies"]:
            gone = sum(self.state("copy_files", **line)["gone"] for line in self.bench.lines(self.judged["key"]))
            if gone:
                error = {"Error": "CheckedFilesGoneError", "Cause": f"{gone} checked files"}
                return self.state("record_failure", step="Copy Files", error=error)
        judged = {name: self.judged[name] for name in ("statuses", "status", "copies")}
        self.state("update_consignment", **judged)
        return self.state(
            "notify_problems",
            statuses=self.judged["statuses"],
            problems=self.judged["problems"],
            incomplete=self.gathered["incomplete"],
        )
