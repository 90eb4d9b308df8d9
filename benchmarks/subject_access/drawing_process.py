"""Draws or joins pages in a new process, and writes how long that took and how much memory the process had.

Run by path, with the job as JSON on standard input: `path` (folders to import from), `task`, and what the task takes.
`seconds` is the work without imports, `cpu` what of it the processor worked; `peak_mb` is that of the whole process,
imports and data included.
"""

import json
import random
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

_ESTABLISHMENTS = ("Leeds", "Moorland", "Brixton", "Low Newton")
_PAGE_ROWS = 37
_SURNAMES = ("Quill", "O'Rourke", "van den Berg", "Smith-Jones", "Nkemelu", "Zolc", "Fielding", "Jsmith")
_WORDS = 4_000
# Syllables of names, twelve of each script.
_SYLLABLES = {
    "Latin": "ba ke li mo nu pa ri so ta ve wi zo",
    "Arabic": "با كي لي مو نو عم ري سو حم في وا زو",
    "Hebrew": "בא קי לי מו נו שי רי סו תה וי דו זו",
    "Devanagari": "का कि शु मो नी प्र री सो त्र वि श्री ज़ो",
    "Bengali": "কা কি শু মো নী প্র রী সো ত্র বি শ্রী জো",
    "Gurmukhi": "ਕਾ ਕਿ ਲੂ ਮੋ ਨੀ ਪ੍ਰ ਰੀ ਸੋ ਤਾ ਵਿ ਸ਼੍ਰੀ ਜੋ",
    "Tamil": "கா கி லு மோ நீ பா ரீ சோ தா வி ஸ்ரீ ஜோ",
    "Thai": "กา คี ลู โม นี ปา รี โส ตา วี ศรี ใจ",
    "Ethiopic": "ባ ኬ ሊ ሞ ኑ ፓ ሪ ሶ ታ ቬ ዊ ዞ",
    "Chinese": "王 小 明 習 近 平 李 伟 张 芳 陈 静",
    "Cyrillic": "ба ке ли мо ну па ри со та ве ви зо",
    "Vietnamese": "bà kế lị mộ nữ phạ rĩ sơ tấ vệ vĩ đồ",
}
_NUMBERS = ("A9876ZZ", "07700 900123", "1990-01-02", "QQ 12 34 56 C")


def rows(pages: int) -> Iterator[dict[str, Any]]:
    """Six columns of what case notes look like, as many rows as fill about `pages` pages of ours."""
    return (
        {
            "date": f"2024-{number % 12 + 1:02}-{number % 28 + 1:02}",
            "establishment": _ESTABLISHMENTS[number % len(_ESTABLISHMENTS)],
            "type": "Case note",
            "author": "SMITH",
            "text": "Had a conversation about work",
            # As wide in a long report as in a short one, so that rows are as high.
            "id": number % 20_000,
        }
        for number in range(pages * _PAGE_ROWS)
    )


def _words(scripts: Sequence[str], count: int) -> list[list[str]]:
    """Return as many words for each script, of two or three syllables, always the same."""
    drawn = random.Random(5)
    return [
        ["".join(drawn.choices(syllables, k=drawn.randint(2, 3))) for _ in range(count)]
        for syllables in (_SYLLABLES[script].split() for script in scripts)
    ]


def texts(rows: int, scripts: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Rows with eight words, each row in the next of the scripts; of any scripts as many words and syllables."""
    words = _words(scripts, _WORDS)
    for number in range(rows):
        own = words[number % len(words)]
        begin = number * 8 // len(words)
        yield {
            "date": f"2024-{number % 12 + 1:02}-{number % 28 + 1:02}",
            "author": " ".join(own[(begin + word) % _WORDS] for word in range(2)),
            "text": " ".join(own[(begin + word) % _WORDS] for word in range(2, 8)),
            "id": number % 20_000,
        }


def _written(found: Iterator[dict[str, Any]], file: Path) -> Path:
    """Write rows to a file, one by one, as an answer comes."""
    with file.open("w", encoding="utf-8") as out:
        for number, row in enumerate(found):
            out.write((", " if number else '{"content": [') + json.dumps(row))
        out.write("]}")
    return file


def draw(job: dict[str, Any]) -> dict[str, Any]:
    """Draw one service's part of about `pages` pages into `folder`, or of the answer in the file `answer`."""
    from waybill.subject_access.domain.report.models import IdKind, Outcome, Section, Subject
    from waybill.subject_access.domain.report.part import render_part

    folder, name = Path(job["folder"]), job["name"]
    found = texts(job["rows"], job["scripts"] or [*_SYLLABLES]) if "scripts" in job else rows(job.get("pages", 0))
    content = Path(job["answer"]) if "answer" in job else _written(found, folder / f"{name}.json")
    section = Section(name, f"Service {name}", Outcome.COMPLETE, content)
    subject = Subject.named("Smith", "John", IdKind.NOMIS, "A1234AA")
    with tempfile.TemporaryDirectory(dir=folder) as work:
        started, used = time.perf_counter(), time.process_time()
        summary = render_part(section, subject, folder / f"{name}.pdf", Path(work))
        seconds, cpu = time.perf_counter() - started, time.process_time() - used
    return {"seconds": seconds, "cpu": cpu, "pages": summary.pages, "size": summary.size}


def join(job: dict[str, Any]) -> dict[str, Any]:
    """Join all parts in `folder` into a numbered report."""
    from waybill.subject_access.domain.report.assembly import assemble
    from waybill.subject_access.domain.report.models import Bookmark, Facts, IdKind, Part, PartSummary, Subject

    folder = Path(job["folder"])
    pages: dict[str, int] = job["parts"]
    parts = [
        Part(name, name, "PRISON", folder / f"{name}.pdf", PartSummary(count, 0, "", (Bookmark(name, 1),)))
        for name, count in pages.items()
    ]
    subject = Subject.named("Smith", "John", IdKind.NOMIS, "A1234AA")
    facts = Facts("Subject Access Request Report", subject, "SAR-1", None, date(2024, 12, 31), date(2025, 3, 4))
    with tempfile.TemporaryDirectory(dir=folder) as work:
        started, used = time.perf_counter(), time.process_time()
        summary = assemble(parts, facts, folder / "report.pdf", Path(work))
        seconds, cpu = time.perf_counter() - started, time.process_time() - used
    return {"seconds": seconds, "cpu": cpu, "pages": summary.pages, "size": summary.size}


def redact(job: dict[str, Any]) -> dict[str, Any]:
    """Take twenty people and numbers out of the answer in the file `answer`, in whatever way they are written."""
    from waybill.subject_access.domain.report.models import Redaction
    from waybill.subject_access.domain.report.redaction import redact as taken_out

    text = Path(job["answer"]).read_text("utf-8")
    words, content = len(re.findall(r"\w+", text)), json.loads(text)["content"]
    names = [f"{given} {surname}" for given in ("Peter", "Siobh\u00e1n") for surname in _SURNAMES]
    marks = [Redaction("", "third party", everywhere=True, texts=(one,)) for one in (*names, *_NUMBERS)]
    started, used = time.perf_counter(), time.process_time()
    found = taken_out(content, marks)
    seconds, cpu = time.perf_counter() - started, time.process_time() - used
    return {"seconds": seconds, "cpu": cpu, "words": words, "taken": found.removed, "near": found.near_count}


def draw_with_fpdf2(job: dict[str, Any]) -> dict[str, Any]:
    """Draw the same rows with fpdf2, plain cells and the same embedded font."""
    from fpdf import FPDF

    widths = (20, 40, 25, 20, 65, 15)
    content = rows(job["pages"])
    started = time.perf_counter()
    pdf = _numbered(FPDF)
    pdf.add_font("DejaVu", "", job["font"])
    pdf.set_font("DejaVu", size=8)
    pdf.alias_nb_pages()
    pdf.add_page()
    for row in content:
        for width, value in zip(widths, row.values(), strict=True):
            pdf.cell(width, 5, str(value), border="B")
        pdf.ln()
    pdf.output(str(Path(job["folder"], "fpdf2.pdf")))
    return {"seconds": time.perf_counter() - started, "pages": pdf.pages_count}


def _numbered(base: Any) -> Any:
    class Numbered(base):  # type: ignore[misc]
        def header(self) -> None:
            self.set_font("DejaVu", size=10)
            self.cell(0, 5, "Name: SMITH, John", align="R", new_x="LMARGIN", new_y="NEXT")
            self.set_font("DejaVu", size=8)

        def footer(self) -> None:
            self.set_y(-15)
            self.set_font("DejaVu", size=10)
            self.cell(0, 5, f"Official Sensitive   Page {self.page_no()} of {{nb}}", align="C")
            self.set_font("DejaVu", size=8)

    return Numbered()


_TASKS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "draw": draw,
    "redact": redact,
    "join": join,
    "fpdf2": draw_with_fpdf2,
}


def main() -> None:
    job = json.load(sys.stdin)
    sys.path[:0] = job["path"]
    outcome = _TASKS[job["task"]](job)
    json.dump(outcome | {"peak_mb": _peak_mb()}, sys.stdout)


def _peak_mb() -> float:
    """VmHWM, which begins anew with the program; ru_maxrss begins with that of the process that started it."""
    lines = Path("/proc/self/status").read_text("ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


if __name__ == "__main__":
    main()
