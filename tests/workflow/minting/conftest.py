"""The ID minter of the deployed application."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.workflow.support.application import Application, Execution
from tests.workflow.support.polling import until


@dataclass(frozen=True)
class Minter:
    """Its function, workflow, queues, bucket and table."""

    application: Application

    @property
    def outputs(self) -> Any:
        return self.application.outputs

    def mint(self, *names: str, **more: Any) -> dict[str, Any]:
        """Invoke the function."""
        request = {"sourceIdentifiers": names, **more}
        invoked = self.application.invoke(self.outputs["IdMinterFunctionName"], request)
        assert invoked.error is None, invoked.payload
        answer: dict[str, Any] = invoked.payload
        return answer

    def run(self, request: Any, name: str) -> Execution:
        """Run the workflow to its end."""
        return self.application.run(request, name, workflow=self.outputs["IdMinterWorkflowArn"])

    def upload(self, key: str, body: str) -> str:
        """Put an object into the bucket; return its address."""
        bucket = self.outputs["DocumentsBucketName"]
        self.application.s3.put_object(Bucket=bucket, Key=key, Body=body.encode())
        return f"s3://{bucket}/{key}"

    def read(self, address: str) -> Any:
        """Read a JSON object of the bucket."""
        bucket, _, key = address.removeprefix("s3://").partition("/")
        return json.loads(self.application.s3.get_object(Bucket=bucket, Key=key)["Body"].read())

    def send(self, body: Any, group: str) -> None:
        """Send a request to the queue."""
        self.application.sqs.send_message(
            QueueUrl=self.outputs["MintingRequestQueueUrl"], MessageBody=json.dumps(body), MessageGroupId=group
        )

    def results(self, job: str, count: int) -> list[dict[str, Any]]:
        """Wait for that many results of a job."""
        url, found = self.outputs["MintingResultQueueUrl"], []

        def look() -> list[dict[str, Any]] | None:
            for message in self.application.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get(
                "Messages", []
            ):
                self.application.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                found.append(json.loads(message["Body"]))
            ours = [result for result in found if result.get("jobId") == job]
            return ours if len(ours) >= count else None

        return until(look, f"{count} results of {job}")

    def items(self, text: str) -> Iterator[dict[str, Any]]:
        """Yield the items of the table that are about `text`."""
        pages = self.application.stack.client("dynamodb").get_paginator("scan")
        for page in pages.paginate(TableName=self.outputs["IdentifiersTableName"], PaginationConfig={"PageSize": 5000}):
            yield from (item for item in page["Items"] if text in item.get("owner", item["pk"])["S"])


@pytest.fixture(scope="package")
def minter(application: Application) -> Minter:
    """The ID minter."""
    return Minter(application)
