"""How much of what people have labelled is found, and how much of what is found they have labelled."""

import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.harness import Benchmark, Figure, Lab
from benchmarks.harness.report import breakdown
from waybill.scanning.domain.detection.engine import Engine
from waybill.scanning.domain.detection.gates import fastest_gate
from waybill.scanning.domain.detection.models import Match
from waybill.scanning.domain.detection.rules import detectors

_FILE = "WAYBILL_PII_LABELLED"
_LABELS = {
    "PHONE_NUMBER": "PHONE",
    "IBAN_CODE": "IBAN",
    "IP_ADDRESS": "IP",
    "CREDIT_CARD": "CREDIT_CARD",
    "US_SSN": "US_SSN",
    "EMAIL_ADDRESS": "EMAIL",
}
# Recall and precision that the project asks of itself.
_TARGETS = {"CREDIT_CARD": (0.98, 0.99), "IBAN": (1.0, 1.0), "IP": (0.98, 0.98), "PHONE": (0.7, 0.9)}


@dataclass
class Confusion:
    """Counts by detector: labelled values that are found (`exact`: from their first to their last byte), and others."""

    found: Counter[str] = field(default_factory=Counter)
    exact: Counter[str] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)
    extra: Counter[str] = field(default_factory=Counter)

    def add(self, sentence: Mapping[str, Any], matches: list[Match]) -> None:
        """Count one sentence in presidio-research's form."""
        text = str(sentence["full_text"])
        hit: set[int] = set()
        for span in sentence["spans"]:
            name = _LABELS.get(span["entity_type"])
            if name is None:
                continue
            first, last = (len(text[: span[side]].encode()) for side in ("start_position", "end_position"))
            hits = {
                index
                for index, match in enumerate(matches)
                if match.detector == name and match.start < last and first < match.end
            }
            (self.found if hits else self.missed)[name] += 1
            self.exact[name] += any((matches[index].start, matches[index].end) == (first, last) for index in hits)
            hit |= hits
        self.extra.update(match.detector for index, match in enumerate(matches) if index not in hit)

    def recall(self, name: str) -> float:
        """Return the share of the labelled values that is found."""
        return self.found[name] / max(1, self.found[name] + self.missed[name])

    def precision(self, name: str) -> float:
        """Return the share of what is found that is labelled."""
        return self.found[name] / max(1, self.found[name] + self.extra[name])


def _measure(lab: Lab) -> Iterator[Figure]:
    place = os.environ.get(_FILE)
    if not place:
        lab.say(f"accuracy: name a file of presidio-research (tests/data/generated_large.json) in {_FILE}")
        return
    engine, confusion = Engine(detectors(), fastest_gate), Confusion()
    sentences = json.loads(Path(place).read_text("utf-8"))
    for sentence in sentences:
        confusion.add(sentence, engine.matches(sentence["full_text"].encode()))
    rows = []
    for name in sorted(_LABELS.values()):
        values = confusion.found[name] + confusion.missed[name]
        recall, precision = confusion.recall(name), confusion.precision(name)
        rows.append([name, values, recall, precision, confusion.exact[name] / max(1, values)])
        target = "≥ {} at ≥ {}".format(*_TARGETS[name]) if name in _TARGETS else ""
        how = f"{values} labelled values in {len(sentences)} sentences of presidio-research"
        yield Figure(f"scanning.recall.{name}", round(recall, 3), "", how, {"precision": round(precision, 3)}, target)
    headings = ["Detector", "Values", "Recall", "Precision", "From first to last byte"]
    lab.show(breakdown(f"Accuracy on {len(sentences)} labelled sentences", headings, rows))


BENCHMARKS = (Benchmark(("scanning.recall.*",), _measure),)
