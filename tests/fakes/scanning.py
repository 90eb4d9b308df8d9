"""A bucket and a queue in memory, which can be disturbed; the table is moto's."""

import gzip
import json
import threading
from bisect import bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from hashlib import md5
from io import BytesIO
from itertools import count
from typing import Any

import pytest

from tests.fakes.probe import Crash
from waybill.core.errors import NotFoundError
from waybill.scanning.errors import (
    BucketDeniedError,
    BucketNotFoundError,
    BucketUnavailableError,
    ObjectRefusedError,
)
from waybill.scanning.models import Entry, Job, Slice, Tally

AWKWARD_KEYS = (
    "a b",
    "a+b",
    "a%2Fb",
    "new\nline",
    "carriage\rreturn",
    "tab\tand \x01 control",
    "😀.txt",
    "/leading",
    "./x",
    "../y",
    "folder/",
    "é" * 512,
    "~",
    "quote'\"",
    "<&>]]>",
)
"""Keys that S3 takes, and that break those who put them into addresses, lines or XML."""


def dies_after(monkeypatch: pytest.MonkeyPatch, owner: Any, effect: str, call: int = 1) -> None:
    """Let the function die when the `effect` of `owner` has happened for the `call`th time, once."""
    original, calls = getattr(owner, effect), count(1)

    def kill_after(*args: Any, **more: Any) -> Any:
        result = original(*args, **more)
        if next(calls) == call:
            raise Crash(f"after {effect}")
        return result

    monkeypatch.setattr(owner, effect, kill_after)


def etag_of(content: bytes) -> str:
    return md5(content, usedforsecurity=False).hexdigest()


@dataclass
class OpenedObject:
    """An object that is being read."""

    content: BytesIO
    etag: str
    size: int
    changed: bool

    def read(self, count: int) -> bytes:
        return self.content.read(count)

    def close(self) -> None:
        self.content.close()


@dataclass
class FakeBucket:
    """`Bucket` in memory. `faults` is called before every request, and may raise."""

    objects: dict[str, bytes] = field(default_factory=dict)
    storage_classes: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    name: str = "archive"
    denied: bool = False
    page_keys: int = 1000
    lists: int = 0
    gets: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)
    on_open: Callable[[str], None] = lambda key: None
    on_page: Callable[[], None] = lambda: None

    def check(self, bucket: str, prefix: str) -> None:
        if bucket != self.name:
            raise BucketNotFoundError(f"there is no bucket {bucket}")
        if self.denied:
            raise BucketDeniedError(f"{bucket} may not be listed")

    def page(self, bucket: str, prefix: str, start_after: str, limit: int) -> tuple[list[Entry], bool]:
        self.lists += 1
        self.on_page()
        keys = sorted(key for key in self.objects if key.startswith(prefix))
        first = bisect_right(keys, start_after) if start_after else 0
        limit = min(limit, self.page_keys)
        chosen = keys[first : first + limit]
        entries = [
            Entry(key, len(self.objects[key]), etag_of(self.objects[key]), self.storage_classes.get(key, ""))
            for key in chosen
        ]
        return entries, first + limit >= len(keys)

    def open(self, bucket: str, entry: Entry, offset: int) -> OpenedObject:
        with self.lock:
            self.gets += 1
        self.on_open(entry.key)
        if entry.key in self.refused:
            raise ObjectRefusedError(self.refused[entry.key])
        if entry.key not in self.objects:
            raise ObjectRefusedError("GONE")
        content = self.objects[entry.key]
        changed = etag_of(content) != entry.etag
        return OpenedObject(BytesIO(content[0 if changed else offset :]), etag_of(content), len(content), changed)


@dataclass
class FakeQueue:
    """`SliceQueue` in memory."""

    slices: list[Slice] = field(default_factory=list)

    def send(self, slices: Iterable[Slice]) -> int:
        # Through JSON, as a message goes.
        sent = [Slice.of(work.body()) for work in slices]
        self.slices += sent
        return len(sent)


@dataclass
class FakeAnnouncer:
    """`Announcer` that remembers."""

    told: list[tuple[str, str]] = field(default_factory=list)

    def announce(self, job: Job, tally: Tally) -> None:
        self.told.append((job.job_id, job.status.value))


@dataclass
class FakeFiles:
    """The bucket that inventories are delivered to: `Files` in memory."""

    objects: dict[str, bytes] = field(default_factory=dict)
    opened: list[str] = field(default_factory=list)

    def open_file(self, bucket: str, key: str, etag: str | None = None) -> OpenedObject:
        self.opened.append(key)
        if key not in self.objects:
            raise NotFoundError(f"there is no s3://{bucket}/{key}")
        content = self.objects[key]
        if etag not in {None, etag_of(content)}:
            raise BucketUnavailableError("changed")
        return OpenedObject(BytesIO(content), etag_of(content), len(content), changed=False)

    def deliver(self, *files: bytes, columns: str, folder: str = "inv/2026-01-10", **changes: object) -> str:
        """Put an inventory of gzipped `files` of the bucket `archive` there; return the manifest's address."""
        named = {f"{folder}/data/{number}.csv.gz": gzip.compress(file, mtime=0) for number, file in enumerate(files)}
        manifest = {
            "sourceBucket": "archive",
            "destinationBucket": "arn:aws:s3:::inventories",
            "version": "2016-11-30",
            "fileFormat": "CSV",
            "fileSchema": columns,
            "files": [
                {"key": key, "size": len(content), "MD5checksum": etag_of(content)} for key, content in named.items()
            ],
        } | changes
        content = json.dumps(manifest).encode()
        self.objects |= named
        self.objects[f"{folder}/manifest.json"] = content
        self.objects[f"{folder}/manifest.checksum"] = etag_of(content).encode()
        return f"s3://inventories/{folder}/manifest.json"
