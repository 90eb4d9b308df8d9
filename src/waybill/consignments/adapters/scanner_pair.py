"""Two processes of scanners, which look at a file at the same time: one tells formats, the other looks inside."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import override

from waybill.consignments.adapters.scanner_process import ScannerProcess
from waybill.consignments.domain.checks.models import Examination, PartAnswers
from waybill.consignments.domain.checks.ports import Scanners

_OF_FORMATS = frozenset({"identify", "members"})
# Together less than what the function has.
_FORMATS_BYTES, _INSIDE_BYTES = 640 << 20, 1 << 30

type _Examining = Callable[[Examination], PartAnswers]


class ScannerPair(Scanners):
    """`Scanners` of two processes, each of which is started when it is first needed.

    Siegfried takes as long for a small file as everything else together, and holds Python's lock all the while.

    Parameters
    ----------
    rules : Path or None
        The compiled rules; None to scan nothing.
    excluded : sequence of pairs
        Files and names of rules whose matches do not count.
    environment : Mapping[str, str]
        The variables of the processes: nothing that is secret.
    signatures : Path or None
        Signatures of formats; None for those that the identifying program brings.
    """

    def __init__(
        self,
        rules: Path | None,
        excluded: Sequence[Sequence[str]],
        environment: Mapping[str, str],
        signatures: Path | None = None,
    ) -> None:
        self._formats = ScannerProcess(None, (), environment, memory_bytes=_FORMATS_BYTES, signatures=signatures)
        self._inside = ScannerProcess(rules, excluded, environment, memory_bytes=_INSIDE_BYTES, identifying=False)
        # Each is asked one question at a time, in the order in which they come: neither waits for the other.
        self._formats_line, self._inside_line = ThreadPoolExecutor(1), ThreadPoolExecutor(1)

    @property
    def pids(self) -> list[int]:
        """The ids of the processes that are there."""
        return [process.pid for process in (self._formats, self._inside) if process.pid is not None]

    @override
    def versions(self) -> dict[str, str]:
        found, started = (
            self._formats_line.submit(self._formats.versions),
            self._inside_line.submit(self._inside.versions),
        )
        started.result()
        return found.result()

    @override
    def examine(self, question: Examination) -> PartAnswers:
        return self._both(question, self._formats.examine, self._inside.examine)

    @override
    def examine_afresh(self, question: Examination) -> PartAnswers:
        return self._both(question, self._formats.examine_afresh, self._inside.examine_afresh)

    def _both(self, question: Examination, of_formats: _Examining, of_inside: _Examining) -> PartAnswers:
        formats, inside = _split(question)
        found = self._formats_line.submit(of_formats, formats) if formats.parts else None
        answers = self._inside_line.submit(of_inside, inside).result() if inside.parts else {}
        return {**answers, **(found.result() if found else {})}

    @override
    def examine_all(self, questions: Sequence[Examination], seconds: float) -> list[PartAnswers]:
        formats, inside = zip(*map(_split, questions), strict=True) if questions else ((), ())
        found = self._formats_line.submit(self._formats.examine_all, formats, seconds)
        answers = self._inside_line.submit(self._inside.examine_all, inside, seconds)
        return [{**one, **other} for one, other in zip(answers.result(), found.result(), strict=True)]

    @override
    def ask(self, question: Examination) -> None:
        self._inside.ask(question)

    @override
    def answers(self) -> PartAnswers:
        return self._inside.answers()

    def close(self) -> None:
        """End both processes."""
        self._formats.close()
        self._inside.close()
        self._formats_line.shutdown()
        self._inside_line.shutdown()


def _split(question: Examination) -> tuple[Examination, Examination]:
    """Return what is asked of the one process, and what of the other."""
    formats = {part: seconds for part, seconds in question.parts.items() if part in _OF_FORMATS}
    inside = {part: seconds for part, seconds in question.parts.items() if part not in _OF_FORMATS}
    return replace(question, parts=formats), replace(question, parts=inside)
