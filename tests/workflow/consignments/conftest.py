"""The consignment checks of the deployed application."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request

import pytest

from tests.workflow.support.application import Application, Execution
from tests.workflow.support.direct import DIRECT


@dataclass(frozen=True)
class Checks:
    """Their API, workflow, buckets and table."""

    application: Application

    @property
    def outputs(self) -> Mapping[str, str]:
        return self.application.outputs

    def ask(
        self, method: str, path: str, body: object = None, *, who: str = "alice", role: str = "consignments"
    ) -> Any:
        """Send a request to the API; return its answer's body with `httpStatus`."""
        token = self.application.stack.signing_key.token(subject=who, roles=[role])
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        content = None if body is None else json.dumps(body).encode()
        request = Request(f"{self.application.api_url}{path}", content, headers, method=method)
        try:
            with DIRECT.open(request, timeout=60) as answer:
                return {**json.loads(answer.read()), "httpStatus": answer.status}
        except HTTPError as error:
            return {**json.loads(error.read()), "httpStatus": error.code}

    def register(self, files: Mapping[str, bytes], **changes: Any) -> dict[str, Any]:
        """Register files by their paths."""
        described = [
            {"path": path, "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
            for path, content in files.items()
        ]
        body = {"type": "standard", "reference": "TDR-2026-W", "transferringBody": "A Body", "files": described}
        registered: dict[str, Any] = self.ask("POST", "/consignments", {**body, **changes})
        assert registered["httpStatus"] == 201, registered
        return registered

    def upload(self, registered: Mapping[str, Any], files: Mapping[str, bytes]) -> None:
        """Upload the files of a registration."""
        for file in registered["files"]:
            bucket = self.outputs["ConsignmentUploadBucketName"]
            self.application.s3.put_object(Bucket=bucket, Key=file["uploadKey"], Body=files[file["path"]])

    def received(self, files: Mapping[str, bytes], **changes: Any) -> str:
        """Register and upload files; return the consignment's id."""
        registered = self.register(files, **changes)
        self.upload(registered, files)
        return str(registered["consignmentId"])

    def check(self, consignment_id: str) -> Execution:
        """Start the checks through the API and wait for their end."""
        started = self.ask("POST", f"/backend-checks/{consignment_id}")
        assert started["httpStatus"] == 200, started
        return self.application.ended(started["executionArn"])

    def shown(self, consignment_id: str) -> dict[str, Any]:
        """The consignment as the API shows it."""
        shown: dict[str, Any] = self.ask("GET", f"/consignments/{consignment_id}")
        return shown

    def files(self, consignment_id: str) -> dict[str, dict[str, Any]]:
        """The files as the API shows them, by their paths."""
        page = self.ask("GET", f"/consignments/{consignment_id}/files?limit=200")
        return {file["path"]: file for file in page["files"]}

    def keys(self, output: str, prefix: str) -> list[str]:
        """The keys below `prefix` in the bucket of an output."""
        answer = self.application.s3.list_objects_v2(Bucket=self.outputs[output], Prefix=prefix)
        return [each["Key"] for each in answer.get("Contents", [])]


@pytest.fixture(scope="package")
def checks(application: Application) -> Checks:
    """The consignment checks."""
    return Checks(application)
