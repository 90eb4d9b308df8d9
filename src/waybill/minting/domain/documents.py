"""Works as documents: every nested `sourceIdentifier` gets its canonical ID beside it."""

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Protocol

from pydantic import JsonValue

from waybill.core.clock import iso, now
from waybill.minting.domain.minter import Minter
from waybill.minting.domain.requests import MintRequest
from waybill.minting.domain.source_ids import check_characters, examine_parts, trimmed
from waybill.minting.errors import (
    DocumentsUnavailableError,
    InvalidIdentifierError,
    RegistryThrottledError,
    RegistryUnavailableError,
)
from waybill.minting.models import FailureCode, Minted, NotMinted, Outcome, SourceId, StoredDocument, WantedIdentifier

_THREADS = 16


class Documents(Protocol):
    """Works as JSON documents: read where other systems write them, written where readers find them."""

    def read(self, source: str) -> bytes | None:
        """Return the document that a request names, or None; raises `DocumentsUnavailableError`."""
        ...

    def write(self, canonical_id: str, document: bytes) -> StoredDocument:
        """Store a document with its canonical IDs; raises `DocumentsUnavailableError`."""
        ...


class DocumentRecords(Protocol):
    """What is known of documents that were stored."""

    def record(self, document: StoredDocument, at: str, job_id: str | None) -> None:
        """Record that a document was stored at a time; an older time than that of the record changes nothing.

        Raises `RegistryThrottledError` and `RegistryUnavailableError`.
        """
        ...


@dataclass(frozen=True)
class Work:
    """A document with the identifiers in it; `own` is the one that the document itself is stored under.

    As bytes: parsed, a hundred documents would take ten times the memory until their identifiers are minted.
    """

    content: bytes
    own: SourceId
    wanted: tuple[tuple[SourceId, SourceId | None], ...]
    faults: Mapping[SourceId, str] = field(default_factory=dict)


def read_work(content: bytes) -> Work:
    """Return the work that a JSON document describes.

    Raises
    ------
    InvalidIdentifierError
        It is not a JSON object, an identifier in it is malformed, or it has none of its own, at its root or in `state`.
    """
    try:
        document = json.loads(content, parse_float=_finite, parse_constant=_refused)
    except (ValueError, RecursionError):
        raise InvalidIdentifierError("the document is not JSON") from None
    if not isinstance(document, dict):
        raise InvalidIdentifierError("the document is not a JSON object")
    faults: dict[SourceId, str] = {}
    wanted = tuple(
        (
            _identifier(node["sourceIdentifier"], faults),
            _identifier(before, faults) if (before := _predecessor(node)) else None,
        )
        for node in _nodes(document)
    )
    state = document.get("state")
    home = document if "sourceIdentifier" in document else state if isinstance(state, dict) else {}
    if "sourceIdentifier" not in home:
        raise InvalidIdentifierError("the document has no sourceIdentifier of its own")
    return Work(content, _identifier(home["sourceIdentifier"]), wanted, faults)


def _finite(text: str) -> float:
    """Return a number of a document; what could only be written back as `Infinity`, which is no JSON, is refused."""
    number = float(text)
    return number if math.isfinite(number) else _refused(text)


def _refused(text: str) -> float:
    raise ValueError(f"{text} is no number of JSON")


def embed(document: JsonValue, canonical_ids: Mapping[SourceId, str]) -> JsonValue:
    """Return `document` with the canonical IDs; a node whose identifier has none stays as it is.

    `identifiedType` becomes `type`; a node of type `Identifiable` becomes `Identified`.
    """
    if isinstance(document, list):
        return [embed(each, canonical_ids) for each in document]
    if not isinstance(document, dict):
        return document
    node = {name: embed(value, canonical_ids) for name, value in document.items()}
    if "sourceIdentifier" not in document:
        return node
    canonical_id = canonical_ids.get(_identifier(document["sourceIdentifier"]))
    if canonical_id is None:
        return node
    node["canonicalId"] = canonical_id
    if isinstance(node.get("identifiedType"), str):
        node["type"] = node.pop("identifiedType")
    elif node.get("type") == "Identifiable":
        node["type"] = "Identified"
    return node


def _nodes(document: JsonValue) -> Iterator[dict[str, JsonValue]]:
    """Yield every node with a `sourceIdentifier`, without recursion: documents are other people's."""
    waiting = [document]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            if "sourceIdentifier" in node:
                yield node
            waiting.extend(node.values())
        elif isinstance(node, list):
            waiting.extend(node)


def _predecessor(node: Mapping[str, JsonValue]) -> JsonValue:
    return node.get("predecessorIdentifier")


def _identifier(described: JsonValue, faults: dict[SourceId, str] | None = None) -> SourceId:
    """Return the source that a block names; why it may not be minted is added to `faults`."""
    match described:
        case {"identifierType": {"id": str(system)}, "ontologyType": str(kind), "value": str(value)} if trimmed(system):
            examined = examine_parts(kind, trimmed(system), trimmed(value))
            if examined.fault and faults is not None:
                faults[examined.source] = examined.fault
            return examined.source
    raise InvalidIdentifierError("a sourceIdentifier needs identifierType.id, ontologyType and value")


@dataclass(frozen=True)
class DocumentMinter:
    """Answers requests about documents: success means that the document is stored downstream, and that recorded."""

    minter: Minter
    documents: Documents
    records: DocumentRecords
    now: Callable[[], datetime] = now

    def outcomes(self, request: MintRequest) -> dict[str, Outcome]:
        """Return the outcome of every document of `request`, in its order."""
        with ThreadPoolExecutor(_THREADS) as threads:
            read = dict(
                zip(request.source_identifiers, threads.map(self._read, request.source_identifiers), strict=True)
            )
            works = {text: work for text, work in read.items() if isinstance(work, Work)}
            faults = {source: fault for work in works.values() for source, fault in work.faults.items()}
            minted = self.minter.mint(_all_wanted(works.values()), request.job_id, faults) if works else {}
            store = partial(self._store, minted=minted, job_id=request.job_id)
            stored = dict(zip(works, threads.map(store, works.values()), strict=True))
        return {text: stored[text] if isinstance(work, Work) else work for text, work in read.items()}

    def _read(self, text: str) -> Work | NotMinted:
        try:
            check_characters(text)
            content = self.documents.read(text)
            if content is None:
                return NotMinted(FailureCode.NOT_FOUND, "there is no such document upstream")
            return read_work(content)
        except InvalidIdentifierError as error:
            return NotMinted(FailureCode.INVALID_IDENTIFIER, str(error))
        except DocumentsUnavailableError as error:
            return NotMinted(FailureCode.INTERNAL, str(error))

    def _store(self, work: Work, minted: Mapping[SourceId, Outcome], job_id: str | None) -> Outcome:
        outcomes = {source: minted[source] for source, _ in work.wanted}
        failed = [outcome for outcome in outcomes.values() if isinstance(outcome, NotMinted)]
        if failed:
            # One that will fail again decides: a document is not worth another attempt because of the others.
            return next((each for each in failed if not each.retryable), failed[0])
        known = {source: outcome.canonical_id for source, outcome in outcomes.items() if isinstance(outcome, Minted)}
        try:
            document = json.dumps(embed(json.loads(work.content), known), ensure_ascii=False, separators=(",", ":"))
            # Half a surrogate pair has no UTF-8; written like this it stays the escape of JSON that it came as.
            stored = self.documents.write(known[work.own], document.encode(errors="backslashreplace"))
            # Whatever dies here comes again, and stores and records it anew.
            self.records.record(stored, iso(self.now()), job_id)
        except RecursionError:
            return NotMinted(FailureCode.INVALID_IDENTIFIER, "the document is nested too deeply")
        except (DocumentsUnavailableError, RegistryThrottledError, RegistryUnavailableError) as error:
            return NotMinted(FailureCode.INDEX_FAILED, str(error))
        return outcomes[work.own]


def _all_wanted(works: Iterable[Work]) -> list[WantedIdentifier]:
    wanted: dict[SourceId, dict[SourceId | None, None]] = {}
    for work in works:
        for source, before in work.wanted:
            wanted.setdefault(source, {})[before] = None
    return [WantedIdentifier(source, tuple(before)) for source, before in wanted.items()]
