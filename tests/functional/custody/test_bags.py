"""The bag of a consignment with the histories of its files."""

import xml.etree.ElementTree as ET
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import bagit
import pytest

from tests.fakes.custody import LocalSigner
from tests.functional.custody.conftest import CustodyOnMoto, table, typed
from tests.functional.custody.samples import ABC
from waybill.cli.consignments.bagging import Holders, write_bag
from waybill.cli.custody.bagging import history_documents
from waybill.core.errors import NotFoundError
from waybill.custody.domain.interpreting import Workflow
from waybill.custody.domain.premis import NAMESPACE
from waybill.custody.domain.proving import verify_export

SHOWN = {"consignmentId": "c", "status": "Completed", "reference": "R", "transferringBody": "", "createdAt": "2026"}
FILES = [
    {"fileId": f"f-{number}", "path": f"{number}.txt", "accepted": True, "checksum": ABC, "objectSize": 3}
    for number in range(2)
]
HOLDERS = Holders("clean", "uploads", "alice/c/")
CLI: Any = SimpleNamespace(enter=lambda: None)


def register(custody: CustodyOnMoto) -> None:
    consignment = {"pk": "c", "sk": "CONSIGNMENT", "userId": "alice", "createdAt": "2026-11-29T09:00:00.000Z"}
    rows = [
        {"pk": "c", "sk": f"FILE#{file['fileId']}", "path": file["path"], "size": 3, "sha256": ABC} for file in FILES
    ]
    for item in (consignment, *rows):
        custody.dynamodb.put_item(TableName=table("ConsignmentsTable"), Item=typed(item))
    custody.record(Workflow.CONSIGNMENTS)


def test_histories_are_tag_files_that_the_bag_covers(custody: CustodyOnMoto, tmp_path: Path) -> None:
    register(custody)
    custody.seal()
    folder = tmp_path / "bag"
    assert write_bag(folder, SHOWN, FILES, HOLDERS, history_documents(CLI, "c")) == 2
    covered = (folder / "tagmanifest-sha256.txt").read_text()
    assert "custody/premis.xml" in covered
    assert "custody/events.ndjson" in covered
    assert len(bagit.Bag(str(folder)).payload_entries()) == 2
    root = ET.parse(folder / "custody" / "premis.xml").getroot()
    assert len(root.findall(f"{{{NAMESPACE}}}event")) == 2
    lines = (folder / "custody" / "events.ndjson").read_text("utf-8").splitlines()
    proven = verify_export(lines, LocalSigner(name="waybill/custodylogbucket").key())
    assert (proven.proven, proven.findings) == (2, ())


def test_a_file_without_a_history_leaves_no_bag(custody: CustodyOnMoto, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="file f-0 of consignment c"):
        write_bag(tmp_path / "bag", SHOWN, FILES, HOLDERS, history_documents(CLI, "c"))
    assert not (tmp_path / "bag").exists()
