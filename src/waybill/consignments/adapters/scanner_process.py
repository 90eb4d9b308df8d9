"""The scanners in a process of their own, with a time limit for each part of each file.

Siegfried runs on Go, YARA-X on Rust, qpdf is C++: a hostile file may crash or stall any of them. Each is then ended
with its process, the file's part gets a failure, and the other parts and files go on in a new process. The process is
started anew, never forked: Go's runtime does not survive a fork.
"""

import json
import socket  # noqa: TID251 - a pair of connected ones, of parent and child
import subprocess  # noqa: TID251 - parsers that may crash or stall
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from threading import RLock
from typing import TypedDict, override

from waybill.consignments.domain.checks.errors import ChecksUnavailableError, RuleSetInvalidError
from waybill.consignments.domain.checks.models import Examination, Failure, PartAnswer, PartAnswers, Reason
from waybill.consignments.domain.checks.ports import Scanners
from waybill.core.retry import Retry

MODULE = "waybill.consignments.adapters.scanner_program"
_START_SECONDS = 60.0
# YARA-X ends a scan by itself, which spares the process; this is how much longer it may take to say so.
_GRACE_SECONDS = 2.0
_STARTS = 2
# Half of what the function has; the parsers take a fifth of it before they see a file.
_MEMORY_BYTES = 1 << 30


class _Stalled(Exception):
    pass


class _Crashed(Exception):
    pass


class _Said(TypedDict, total=False):
    """What a parser says of a file; `kind` is that of an error."""

    result: PartAnswer
    error: str
    kind: str


class _Message(_Said, total=False):
    """A line of the program: how it began, what it says of one part, or of several files at once by part."""

    versions: dict[str, str]
    invalid: str
    together: list[dict[str, _Said]]


class _Process:
    """One process, and the connection to it."""

    def __init__(self, environment: Mapping[str, str], module: str) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                [sys.executable, "-m", module, str(theirs.fileno())],
                pass_fds=(theirs.fileno(),),
                # Native code prints what it stumbles over, which may be what a file holds.
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={**environment, "PYTHONPATH": ":".join(filter(None, sys.path))},
            )
        self._connection = ours
        self._received = b""

    @property
    def pid(self) -> int:
        return self._process.pid

    def send(self, message: Mapping[str, object]) -> None:
        try:
            self._connection.sendall(json.dumps(message).encode() + b"\n")
        except OSError as error:
            raise _Crashed from error

    def receive(self, seconds: float) -> "_Message":
        deadline = time.monotonic() + seconds
        while b"\n" not in self._received:
            left = deadline - time.monotonic()
            if left <= 0:
                raise _Stalled
            self._connection.settimeout(left)
            try:
                received = self._connection.recv(65_536)
            except TimeoutError as error:
                raise _Stalled from error
            except OSError as error:
                raise _Crashed from error
            if not received:
                raise _Crashed
            self._received += received
        line, _, self._received = self._received.partition(b"\n")
        message: _Message = json.loads(line)
        return message

    def end(self) -> None:
        self._process.kill()
        self._connection.close()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(10)


class ScannerProcess(Scanners):
    """`Scanners` in a process of their own, which is started when it is first needed.

    Parameters
    ----------
    rules : Path or None
        The compiled rules; None to scan nothing. Read at each start, so nothing else is ever written there.
    excluded : sequence of pairs
        Files and names of rules whose matches do not count.
    environment : Mapping[str, str]
        The variables of the process: nothing that is secret.
    memory_bytes : int
        What it may allocate, mapped files apart; a file that makes it ask for more fails alone.
    signatures : Path or None
        Signatures of formats; None for those that the identifying program brings.
    identifying : bool
        Whether it tells formats; without that it has no versions.
    """

    def __init__(
        self,
        rules: Path | None,
        excluded: Sequence[Sequence[str]],
        environment: Mapping[str, str],
        module: str = MODULE,
        memory_bytes: int = _MEMORY_BYTES,
        signatures: Path | None = None,
        *,
        identifying: bool = True,
    ) -> None:
        self._start = {
            "identifying": identifying,
            "signatures": None if signatures is None else str(signatures),
            "rules": None if rules is None else str(rules),
            "excluded": [list(pair) for pair in excluded],
            "memoryBytes": memory_bytes,
        }
        self._environment = environment
        self._module = module
        self._process: _Process | None = None
        self._versions: dict[str, str] = {}
        self._asked: Examination | None = None
        # Whoever asks waits for the answers of who has asked before.
        self._one_at_a_time = RLock()

    @property
    def pid(self) -> int | None:
        """The id of the process; None while there is none."""
        return None if self._process is None else self._process.pid

    @override
    def versions(self) -> dict[str, str]:
        with self._one_at_a_time:
            self._running()
            return self._versions

    @override
    def examine(self, question: Examination) -> PartAnswers:
        with self._one_at_a_time:
            self.ask(question)
            return self.answers()

    @override
    def examine_all(self, questions: Sequence[Examination], seconds: float) -> list[PartAnswers]:
        """Return the results of several questions, together, which spares most of what one costs besides.

        If that takes longer than `seconds`, or ends the process, each is asked alone, with its own limits: so a file
        that crashes or stalls a parser is told from its neighbours.
        """
        with self._one_at_a_time:
            if len(questions) > 1:
                try:
                    return self._together(questions, seconds)
                except (_Stalled, _Crashed):
                    self.close()
            return [self.examine(question) for question in questions]

    def _together(self, questions: Sequence[Examination], seconds: float) -> list[PartAnswers]:
        process = self._running()
        process.send({"together": [_request(question, list(question.parts)) for question in questions]})
        answers = process.receive(seconds)["together"]
        return [{part: _result(said) for part, said in answer.items()} for answer in answers]

    @override
    def ask(self, question: Examination) -> None:
        self._asked = question
        try:
            self._send(question, list(question.parts))
        except _Crashed:
            # It ended while it had nothing to do: no file is to blame.
            self.close()
            with suppress(_Crashed):  # `answers` finds it out
                self._send(question, list(question.parts))

    @override
    def answers(self) -> PartAnswers:
        question, self._asked = self._asked, None
        if question is None:
            raise RuntimeError("nothing was asked")
        results: PartAnswers = {}
        waiting = list(question.parts)
        while waiting:
            self._wait_for_begin(question, waiting)
            part = waiting.pop(0)
            try:
                results[part] = _result(self._running().receive(_allowance(part, question.parts[part])))
                continue
            except _Stalled:
                results[part] = Failure(Reason.TIME_LIMIT, f"No result within {question.parts[part]:.0f} seconds.")
            except _Crashed:
                results[part] = Failure(Reason.CRASHED, "The file makes the scanner's process end.")
            self.close()
            if waiting:
                with suppress(_Crashed):
                    self._send(question, waiting)
        return results

    def _wait_for_begin(self, question: Examination, waiting: list[str]) -> None:
        """Return when the first part is begun; a process that ends before that is replaced, and no file is to blame."""
        for _ in Retry(tries=_STARTS).attempts():
            with suppress(_Stalled, _Crashed):
                self._running().receive(_START_SECONDS)
                return
            self.close()
            with suppress(_Crashed):
                self._send(question, waiting)
        raise ChecksUnavailableError("the scanners' process takes up no file")

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.end()
            self._process = None

    @override
    def examine_afresh(self, question: Examination) -> PartAnswers:
        with self._one_at_a_time:
            self.close()
            return self.examine(question)

    def _send(self, question: Examination, parts: list[str]) -> None:
        self._running().send(_request(question, parts))

    def _running(self) -> _Process:
        if self._process is None:
            self._process = self._started()
        return self._process

    def _started(self) -> _Process:
        for _ in Retry(tries=_STARTS).attempts():
            process = _Process(self._environment, self._module)
            try:
                process.send(self._start)
                answer = process.receive(_START_SECONDS)
            except (_Stalled, _Crashed):
                process.end()
                continue
            if "invalid" in answer:
                process.end()
                raise RuleSetInvalidError(
                    f"the scanners cannot read the rule set or the signatures: {answer['invalid']}"
                )
            self._versions = answer["versions"]
            return process
        raise ChecksUnavailableError("the scanners' process does not start")


def _request(question: Examination, parts: list[str]) -> dict[str, object]:
    return {
        "path": str(question.path),
        "parts": parts,
        "extension": question.extension,
        "partial": question.partial,
        "scanSeconds": question.parts.get("scan", 1),
        "membersSeconds": question.parts.get("members", 1),
    }


def _allowance(part: str, seconds: float) -> float:
    return seconds + _GRACE_SECONDS if part == "scan" else seconds


def _result(answer: "_Said") -> PartAnswer:
    if "error" not in answer:
        return answer["result"]
    if answer["error"] == "TIME_LIMIT":
        return Failure(Reason.TIME_LIMIT, "The scan was ended by its time limit.")
    return Failure(Reason.UNREADABLE, f"The scanner cannot read the file ({answer['kind']}).")
