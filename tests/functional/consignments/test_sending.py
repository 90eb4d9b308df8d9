"""What sending a directory takes of this machine, and what it does about files that change meanwhile."""

import hashlib
import threading
import tracemalloc
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.functional.consignments.bench import UPLOADS, Workbench
from waybill.cli.adapters import uploads
from waybill.cli.adapters.uploads import Upload, Uploader, UploadRefusedError
from waybill.cli.walking import LocalFile, sha256_of
from waybill.core.aws.clients import client

THREADS = 16
SIZE = 8_000_000


class Together:
    """S3 as far as PutObject goes: reads all bodies at the same time, a little at a time."""

    def __init__(self) -> None:
        self._all = threading.Barrier(THREADS, timeout=60)
        self.received: dict[str, str] = {}

    def put_object(self, *, Key: str, Body: Any, **_: Any) -> None:  # noqa: N803 - as boto3 has it
        self._all.wait()
        digest = hashlib.sha256()
        while block := Body.read(65_536):
            digest.update(block)
        self._all.wait()
        self.received[Key] = digest.hexdigest()


def an_upload(location: Path, key: str) -> Upload:
    """Return a file as it is now."""
    return Upload(LocalFile(location, location.name, location.stat().st_size), sha256_of(location), key)


def test_files_that_are_sent_at_once_are_not_held_in_memory(tmp_path: Path) -> None:
    uploads = []
    for number in range(THREADS):
        location = tmp_path / f"{number}.bin"
        with location.open("wb") as file:
            file.truncate(SIZE + number)
        uploads.append(an_upload(location, str(number)))
    s3 = Together()
    with ThreadPoolExecutor(THREADS) as pool:
        tracemalloc.start()
        try:
            assert Uploader(s3, "uploads").send_all(uploads, {}, pool, lambda: None).count == THREADS
            _, most = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert s3.received == {upload.key: upload.sha256 for upload in uploads}
    # Read whole they would take 128 MB.
    assert most < 2 * SIZE


def test_a_file_that_changes_after_it_was_hashed_is_refused(bench: Workbench, tmp_path: Path) -> None:
    location = tmp_path / "a.txt"
    location.write_bytes(b"as it was hashed")
    upload = an_upload(location, "alice/c/f")
    location.write_bytes(b"as it is by now ")
    bench.wire.answer(
        "s3.PutObject",
        400,
        "<Error><Code>BadDigest</Code></Error>",
        when=lambda request: request.headers["x-amz-checksum-sha256"] != _base64_sha256(location),
    )
    with ThreadPoolExecutor(1) as pool, pytest.raises(UploadRefusedError, match=r"BadDigest.* a\.txt"):
        Uploader(client("s3"), UPLOADS).send_all([upload], {}, pool, lambda: None)


def test_a_large_file_is_sent_in_parts(bench: Workbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "_ONE_REQUEST_BYTES", 1000)
    location = tmp_path / "a.bin"
    location.write_bytes(bytes(9_000_000))
    with ThreadPoolExecutor(1) as pool:
        Uploader(client("s3"), UPLOADS).send_all([an_upload(location, "alice/c/f")], {}, pool, lambda: None)
    assert len(bench.wire.of("s3.UploadPart")) == 2
    stored = client("s3").get_object(Bucket=UPLOADS, Key="alice/c/f")
    assert stored["Body"].read() == location.read_bytes()
    assert stored["Metadata"]["sha256"] == sha256_of(location)


def _base64_sha256(location: Path) -> str:
    return b64encode(hashlib.sha256(location.read_bytes()).digest()).decode()
