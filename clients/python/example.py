"""Lists consignments, starts a scan and reads its findings. `waybill_client` is made of docs/openapi.json."""

import os

from waybill_client import AuthenticatedClient
from waybill_client.api.consignments import list_consignments
from waybill_client.api.scanner import list_findings, start_scan
from waybill_client.models import Problem, ScanRequest


def taken[T](answer: T | Problem | None) -> T:
    """Return an answer that is no problem."""
    if answer is None or isinstance(answer, Problem):
        raise SystemExit(f"refused: {answer}")
    return answer


def main() -> None:
    """Ask the API of WAYBILL_API with the token of WAYBILL_TOKEN."""
    client = AuthenticatedClient(base_url=os.environ["WAYBILL_API"], token=os.environ["WAYBILL_TOKEN"])
    for consignment in taken(list_consignments.sync(client=client, limit=5)).consignments:
        print(f"consignment {consignment.reference} {consignment.status}")
    job = taken(
        start_scan.sync(client=client, body=ScanRequest(bucket="town-hall-exports", detectors=["EMAIL"]))
    ).job_id
    print(f"job {job}")
    for finding in taken(list_findings.sync(client=client, job_id=job)).findings:
        print(f"finding {finding.detector} in {finding.key}: {finding.masked_match}")


if __name__ == "__main__":
    main()
