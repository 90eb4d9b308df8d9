"""Proofs that an event is in the log, and what verifies them without the log, the table or a network."""

import base64
import binascii
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from waybill.custody.domain.identity import commitment
from waybill.custody.domain.log_files import Log, head_path
from waybill.custody.domain.merkle import Node, inclusion_proof, leaf_hash, root_from_inclusion
from waybill.custody.domain.sealed_form import parsed
from waybill.custody.domain.signed_heads import Checkpoint, VerifierKey, opened_note
from waybill.custody.domain.tiles import TileNodes
from waybill.custody.domain.tracing import TracedEvent, TracedState
from waybill.custody.errors import BadProofError
from waybill.custody.models import FileState, Place

_LONGEST_LINE = 1 << 20


@dataclass(frozen=True)
class Prover:
    """Proves inclusion in the log as it is at one head, whose root the table has; every tile is read once."""

    log: Log
    size: int

    root: bytes

    def note(self) -> str:
        """Return the signed head; whoever has the public key looks at its signature.

        Raises
        ------
        BadProofError
            It is of another tree than the one that is proven.
        """
        for read in (self.log.read, self.log.read_oldest):
            note = _existing(read, head_path(self.size)).decode(errors="replace")
            if note.split("\n")[1:3] == [str(self.size), base64.b64encode(self.root).decode()]:
                return note
        raise BadProofError("the head of the log is another than the table's")

    def proofs(self, events: Iterable[TracedEvent]) -> Iterator[tuple[TracedEvent, list[str] | None]]:
        """Yield each event with its audit path in base64; None for one that is younger than the head.

        Raises
        ------
        BadProofError
            The log does not have an event where the table says.
        """
        node, first = self._nodes(self.log.read), self._nodes(self.log.read_oldest)
        for event in events:
            path = None
            if event.index is not None and event.index < self.size:
                try:
                    path = self._path(event, event.index, node)
                except BadProofError:
                    # Somebody may have put another file over one of the log's; nobody can change the first.
                    path = self._path(event, event.index, first)
            yield event, None if path is None else [base64.b64encode(step).decode() for step in path]

    def _nodes(self, read: Callable[[str], bytes | None]) -> Node:
        return TileNodes(lambda tile: _existing(read, tile.path), self.size).node()

    def _path(self, event: TracedEvent, index: int, node: Node) -> list[bytes]:
        path = inclusion_proof(index, self.size, node)
        leaf = leaf_hash(event.event.leaf.sealed.encode())
        if root_from_inclusion(leaf, index, self.size, path) != self.root:
            raise BadProofError(f"the log does not have event {event.event.leaf.id} as entry {index}")
        return path


def _existing(read: Callable[[str], bytes | None], path: str) -> bytes:
    content = read(path)
    if content is None:
        raise BadProofError(f"{path} of the log is not there")
    return content


def exported_line(event: TracedEvent, path: list[str] | None) -> str:
    """Return an event as a line of an export: what was sealed, what its commitments open to, and its proof."""
    said: dict[str, JsonValue] = {
        "sealed": event.event.leaf.sealed,
        "files": [_opening(state) for state in event.states],
        "index": event.index,
        "proof": list(path) if path is not None else None,
    }
    return json.dumps(said, ensure_ascii=False)


def _opening(state: TracedState) -> JsonValue:
    """Return what a commitment is about; null where its name was erased."""
    if state.place is None or state.salt is None:
        return None
    return {
        "bucket": state.place.bucket,
        "key": state.place.key,
        "versionId": state.version_id,
        "sha256": state.sha256,
        "size": state.size,
        "salt": state.salt,
    }


def checkpoint_line(note: str) -> str:
    """Return the line that an export ends with."""
    return json.dumps({"checkpoint": note}, ensure_ascii=False)


@dataclass(frozen=True)
class ExportFinding:
    """A line of an export that does not hold, by its number from 1, and why."""

    line: int
    problem: str


@dataclass(frozen=True)
class ExportReport:
    """What an export proves: events in the log of the head, those that are younger than it, and what does not hold."""

    checkpoint: Checkpoint
    proven: int
    unsealed: int
    findings: tuple[ExportFinding, ...]


def verify_export(lines: Sequence[str], key: VerifierKey) -> ExportReport:
    """Return what an export proves.

    Raises
    ------
    BadProofError
        It does not end with a head that `key` has signed, so that nothing of it can be judged.
    """
    head = opened_note(_text(_line(lines[-1] if lines else ""), "checkpoint"), key)
    if head.origin != key.name:
        raise BadProofError("the head of the export is another log's")
    proven = unsealed = 0
    findings: list[ExportFinding] = []
    for number, line in enumerate(lines[:-1], 1):
        try:
            if _is_proven(_line(line), head):
                proven += 1
            else:
                unsealed += 1
        except BadProofError as error:
            findings.append(ExportFinding(number, str(error)))
    return ExportReport(head, proven, unsealed, tuple(findings))


def _is_proven(said: Mapping[str, JsonValue], head: Checkpoint) -> bool:
    """Return whether a line is in the log; False for one that does not say so. Raises `BadProofError`."""
    sealed = _text(said, "sealed")
    _check_openings(parsed(sealed), said.get("files"))
    index, path = said.get("index"), said.get("proof")
    if path is None:
        return False
    try:
        steps = [base64.b64decode(str(step), validate=True) for step in path] if isinstance(path, list) else None
    except binascii.Error:
        steps = None
    if steps is None or not isinstance(index, int):
        raise BadProofError("its proof is none")
    if root_from_inclusion(leaf_hash(sealed.encode(errors="replace")), index, head.size, steps) != head.root:
        raise BadProofError("it is not in the log, or was altered")
    return True


def _check_openings(sealed: Mapping[str, JsonValue], files: JsonValue) -> None:
    own, related = sealed.get("object"), sealed.get("related")
    wanted = [*([own] if own else []), *(related if isinstance(related, list) else [])]
    if not isinstance(files, list) or len(files) != len(wanted):
        raise BadProofError("it names other files than were sealed")
    for opening, sealed_commitment in zip(files, wanted, strict=True):
        if opening is None:
            continue
        if not isinstance(opening, dict):
            raise BadProofError("a file of it is no object")
        state = FileState(
            Place(_text(opening, "bucket"), _text(opening, "key")),
            _text(opening, "versionId") if opening.get("versionId") is not None else None,
            _text(opening, "sha256") if opening.get("sha256") is not None else None,
            size if isinstance(size := opening.get("size"), int) else None,
        )
        if commitment(state, _text(opening, "salt")) != sealed_commitment:
            raise BadProofError("a file of it is another than was sealed")


def _line(line: str) -> Mapping[str, JsonValue]:
    try:
        said = json.loads(line) if len(line) <= _LONGEST_LINE else None
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        raise BadProofError("a line of the export is no JSON object")
    return said


def _text(said: Mapping[str, JsonValue], name: str) -> str:
    value = said.get(name)
    if not isinstance(value, str):
        raise BadProofError(f"{name} is missing in a line of the export")
    return value
