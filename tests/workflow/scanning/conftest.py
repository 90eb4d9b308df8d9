"""The scanner of the deployed application."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest

from tests.fakes.api import Answer, answer_of, request_event
from tests.workflow.support.application import Application
from tests.workflow.support.polling import until

_RUNNING = frozenset({"listing", "processing"})


@dataclass(frozen=True)
class Scanner:
    """Its routes, its workflow, and buckets to scan."""

    application: Application

    @property
    def outputs(self) -> Any:
        return self.application.outputs

    def bucket(self, name: str, objects: dict[str, bytes]) -> str:
        """Make a bucket with these objects."""
        s3 = self.application.s3
        self.application.make_bucket(name)
        with ThreadPoolExecutor(8) as threads:
            list(threads.map(lambda item: s3.put_object(Bucket=name, Key=item[0], Body=item[1]), objects.items()))
        return name

    def ask(self, method: str, path: str, **more: Any) -> Answer:
        """Send a request to the function that serves the routes, as API Gateway does."""
        event = request_event(method, path, identity={"subject": "tests", "roles": "scanning"}, **more)
        invoked = self.application.invoke(self.application.resources["ScanApiFunction"], event)
        assert invoked.error is None, invoked.payload
        return answer_of(invoked.payload)

    def start(self, bucket: str, **options: Any) -> str:
        """Start a job; return its id."""
        answer = self.ask("POST", "/scan", body={"bucket": bucket, **options})
        assert answer.status == 202, answer.text
        return str(answer.json["job_id"])

    def job(self, job_id: str) -> dict[str, Any]:
        """Return a job as the API shows it."""
        found: dict[str, Any] = self.ask("GET", f"/jobs/{job_id}").json
        return found

    def ended(self, job_id: str) -> dict[str, Any]:
        """Wait for the end of a job."""

        def look() -> dict[str, Any] | None:
            job = self.job(job_id)
            return None if job.get("status", "listing") in _RUNNING else job

        return until(look, f"the end of {job_id}")

    def scanned(self, bucket: str, **options: Any) -> dict[str, Any]:
        """Run a job to its end."""
        return self.ended(self.start(bucket, **options))

    def findings(self, job_id: str) -> list[dict[str, Any]]:
        """Return all findings of a job, without what belongs to the job alone."""
        found, cursor = [], None
        while True:
            query = {"job_id": job_id, "limit": "1000"} | ({"cursor": cursor} if cursor else {})
            page = self.ask("GET", "/results", query=query).json
            found += [
                {name: value for name, value in each.items() if name not in {"job_id", "created_at"}}
                for each in page["findings"]
            ]
            cursor = page["next_cursor"]
            if cursor is None:
                return found

    def executions(self, job_id: str) -> dict[str, str]:
        """Return the ARNs of a job's executions by name."""
        arns = self.application.executions(f"scan-{job_id}", self.outputs["ScanWorkflowArn"])
        return {arn.rpartition(":")[2]: arn for arn in arns}

    def ranges(self, job_id: str) -> list[dict[str, Any]]:
        """Return the ranges of a job's keys."""
        answer = self.application.stack.client("dynamodb").query(
            TableName=self.outputs["ScansTableName"],
            KeyConditionExpression="pk = :pk AND begins_with(sk, :range)",
            ExpressionAttributeValues={":pk": {"S": f"JOB#{job_id}"}, ":range": {"S": "RANGE#"}},
        )
        return [{name: next(iter(value.values())) for name, value in item.items()} for item in answer["Items"]]

    def exported(self, uri: str) -> list[dict[str, Any]]:
        """Return the findings of an export."""
        bucket, _, key = uri.removeprefix("s3://").partition("/")

        def read(name: str) -> bytes:
            body: bytes = self.application.s3.get_object(Bucket=bucket, Key=name)["Body"].read()
            return body

        folder = key.removesuffix("manifest.json")
        parts = json.loads(read(key))["parts"]
        return [json.loads(line) for part in parts for line in read(folder + part).splitlines()]


@pytest.fixture(scope="package")
def scanner(application: Application) -> Scanner:
    """The scanner."""
    return Scanner(application)
