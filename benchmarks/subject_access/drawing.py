"""Reports as PDF: seconds, memory, and how both grow, each in a process of its own; beside fpdf2 on the same rows."""

import json
import tempfile
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

from benchmarks.harness import Benchmark, Figure, Lab
from benchmarks.harness.child import outcome_of
from benchmarks.harness.report import breakdown

_SCRIPT = Path(__file__).with_name("drawing_process.py")
_FONT = files("waybill_typefaces").joinpath("DejaVuSans.ttf")
_ANSWER_BYTES = 60_000_000
_ROUNDS = 2
_TEXT_ROWS = 18_000


def _run(lab: Lab, task: str, folder: Path, **job: Any) -> dict[str, Any]:
    job = {"path": [str(lab.project / "src")], "task": task, "folder": str(folder), **job}
    outcome: dict[str, Any] = outcome_of(task, "-I", _SCRIPT, job=job)
    return outcome


def _report(lab: Lab, parts: int, pages: int) -> dict[str, Any]:
    """Return the faster of `_ROUNDS` rounds."""
    return min((_round(lab, parts, pages) for _ in range(_ROUNDS)), key=lambda one: float(one["cpu"]))


def _round(lab: Lab, parts: int, pages: int) -> dict[str, Any]:
    """Draw `parts` parts that have `pages` pages together, then join them."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        drawn = {f"p{n:02}": _run(lab, "draw", folder, name=f"p{n:02}", pages=pages // parts) for n in range(parts)}
        joined = _run(lab, "join", folder, parts={part: outcome["pages"] for part, outcome in drawn.items()})
    return {
        "pages": joined["pages"],
        "draw": sum(one["seconds"] for one in drawn.values()),
        "join": joined["seconds"],
        "draw MB": max(one["peak_mb"] for one in drawn.values()),
        "join MB": joined["peak_mb"],
        "cpu": sum(one["cpu"] for one in drawn.values()) + joined["cpu"],
        "size": joined["size"] / 1_000_000,
    }


def _measure(lab: Lab) -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as name:
        peer = _run(lab, "fpdf2", Path(name), pages=500, font=str(_FONT))
    small, large, many = _report(lab, 1, 500), _report(lab, 1, 5000), _report(lab, 4, 2000)
    cases = {"one service, 500 pages": small, "one service, 5,000 pages": large, "four services, 2,000 pages": many}
    headings = ["Report", "pages", "s drawing", "s joining", "MB drawing", "MB joining", "s CPU", "MB file"]
    table = [[case, *(round(number, 2) for number in one.values())] for case, one in cases.items()]
    table.append(
        ["fpdf2, plain cells", peer["pages"], round(peer["seconds"], 2), "", round(peer["peak_mb"]), "", "", ""]
    )
    lab.show(breakdown("PDF reports, each step in a new process", headings, table))
    growth = large["cpu"] / large["pages"] / (small["cpu"] / small["pages"])
    yield Figure(
        "disclosure.seconds_500_pages",
        round(small["draw"] + small["join"], 2),
        "s",
        f"drawing and joining {small['pages']} pages of six-column rows; best of {_ROUNDS}",
        {
            "peak MB": round(max(small["draw MB"], small["join MB"])),
            "fpdf2": round(peer["seconds"], 2),
            "fpdf2's pages": peer["pages"],
            "fpdf2's peak MB": round(peer["peak_mb"]),
        },
        "≤ 4, 128 MB",
    )
    yield Figure(
        "disclosure.peak_mb_5000_pages",
        round(max(large["draw MB"], large["join MB"])),
        "MB",
        f"the larger of drawing and joining {large['pages']} pages of one service",
        {
            "drawing": round(large["draw MB"]),
            "joining": round(large["join MB"]),
            "seconds": round(large["draw"] + large["join"], 1),
            "CPU time per page, as multiple of 500 pages'": round(growth, 2),
        },
        "≤ 200, linear time",
    )
    yield Figure(
        "disclosure.seconds_merge_2000_pages",
        round(many["join"], 2),
        "s",
        f"joining, numbering and bookmarking {many['pages']} pages of four services",
        {"peak MB": round(many["join MB"]), "MB file": round(many["size"], 1)},
        "≤ 4, 160 MB",
    )


def _measure_scripts(lab: Lab) -> Iterator[Figure]:
    latin, mixed = _written_in(lab, ["Latin"]), _written_in(lab, [])
    headings = ["Report", "pages", "words", "s drawing", "s joining", "MB drawing", "MB joining", "s CPU", "MB file"]
    cases = {"Latin": latin, "twelve scripts, row by row": mixed}
    table = [[case, *(round(number, 2) for number in one.values())] for case, one in cases.items()]
    lab.show(breakdown("The same rows, words and syllables in Latin and in mixed scripts", headings, table))
    yield Figure(
        "disclosure.seconds_mixed_scripts",
        round(mixed["draw"] + mixed["join"], 2),
        "s",
        f"drawing and joining {mixed['pages']} pages of names and texts in twelve scripts; best of {_ROUNDS}",
        {
            "in Latin": round(latin["draw"] + latin["join"], 2),
            "CPU time, as multiple of Latin": round(mixed["cpu"] / latin["cpu"], 2),
            "peak MB": round(max(mixed["draw MB"], mixed["join MB"])),
            "peak MB in Latin": round(max(latin["draw MB"], latin["join MB"])),
            "pages in Latin": latin["pages"],
            "bytes of PDF": round(mixed["size"] * 1_000_000),
            "bytes of PDF in Latin": round(latin["size"] * 1_000_000),
        },
    )


def _written_in(lab: Lab, scripts: list[str]) -> dict[str, Any]:
    """Return the faster of `_ROUNDS` rounds over as many rows in these scripts, in all where none is named."""
    return min((_round_in(lab, scripts) for _ in range(_ROUNDS)), key=lambda one: float(one["cpu"]))


def _round_in(lab: Lab, scripts: list[str]) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        drawn = _run(lab, "draw", folder, name="names", rows=_TEXT_ROWS, scripts=scripts)
        joined = _run(lab, "join", folder, parts={"names": drawn["pages"]})
    return {
        "pages": joined["pages"],
        "words": _TEXT_ROWS * 8,
        "draw": drawn["seconds"],
        "join": joined["seconds"],
        "draw MB": drawn["peak_mb"],
        "join MB": joined["peak_mb"],
        "cpu": drawn["cpu"] + joined["cpu"],
        "size": joined["size"] / 1_000_000,
    }


def _measure_large_answer(lab: Lab) -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        records = _write_answer(folder / "answer.json")
        outcome = _run(lab, "draw", folder, name="large", answer=str(folder / "answer.json"))
        joined = _run(lab, "join", folder, parts={"large": outcome["pages"]})
    yield Figure(
        "disclosure.peak_mb_60mb_answer",
        round(outcome["peak_mb"]),
        "MB",
        f"drawing one answer of 60 MB: {records:,} records, {outcome['pages']:,} pages",
        {
            "seconds": round(outcome["seconds"], 1),
            "joining MB": round(joined["peak_mb"]),
            "joining seconds": round(joined["seconds"], 1),
        },
        "≤ 512",
    )


def _measure_redaction(lab: Lab) -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        records = _write_answer(folder / "answer.json")
        outcome = _run(lab, "redact", folder, answer=str(folder / "answer.json"))
    yield Figure(
        "disclosure.redaction_words_per_second",
        round(outcome["words"] / outcome["cpu"]),
        "words/s",
        f"taking twenty people and numbers out of an answer of 60 MB: {records:,} records, {outcome['words']:,} words",
        {
            "CPU seconds": round(outcome["cpu"], 1),
            "taken out": outcome["taken"],
            "near misses": outcome["near"],
            "peak MB": round(outcome["peak_mb"]),
        },
    )


def _write_answer(file: Path) -> int:
    number = 0
    with file.open("w", encoding="utf-8") as out:
        out.write('{"content": [')
        while out.tell() < _ANSWER_BYTES:
            record = {
                "caseNoteId": number,
                "createdAt": f"2024-{number % 12 + 1:02}-{number % 28 + 1:02}T10:11:12",
                "author": "JSMITH_GEN",
                "establishment": "MDI",
                "type": "Observation",
                "text": "Spoke about work and the letters. " * (number % 9 + 1),
            }
            out.write(("," if number else "") + json.dumps(record))
            number += 1
        out.write("]}")
    return number


BENCHMARKS = (
    Benchmark(
        (
            "disclosure.seconds_500_pages",
            "disclosure.peak_mb_5000_pages",
            "disclosure.seconds_merge_2000_pages",
        ),
        _measure,
    ),
    Benchmark(("disclosure.seconds_mixed_scripts",), _measure_scripts),
    Benchmark(("disclosure.peak_mb_60mb_answer",), _measure_large_answer),
    Benchmark(("disclosure.redaction_words_per_second",), _measure_redaction),
)
