"""Detectors are proved on their own examples when they are loaded: a wrong rule stops the process, not the audit."""

import hashlib
import sys
from collections.abc import Iterable, Sequence
from functools import partial
from importlib import metadata

from waybill.scanning.domain.detection.columns import Columns
from waybill.scanning.domain.detection.compiling import Cache
from waybill.scanning.domain.detection.engine import Engine
from waybill.scanning.domain.detection.gates import StandardGate, fastest_gate
from waybill.scanning.domain.detection.models import Confidence
from waybill.scanning.domain.detection.rules import Detector, detectors, ruleset
from waybill.scanning.errors import DetectorError


def prove(engine: Engine) -> None:
    """Run every example of every detector of an engine without regions.

    Raises
    ------
    DetectorError
        Names the detector and the number of the example, from 1.
    """
    for detector in engine.detectors:
        for number, example in enumerate(detector.examples, start=1):
            text = str(example["text"]).encode()
            regions = tuple(example.get("regions", ()))
            judge = Engine((detector,), StandardGate, regions=regions) if regions else engine
            columns = Columns.of(text, [detector]) if detector.columns else None
            found = [match for match in judge.matches(text, columns=columns) if match.detector == detector.id]
            values = [text[match.start : match.end].decode() for match in found]
            wanted = [str(example["finds"])] if "finds" in example else []
            if values != wanted:
                raise DetectorError(f"{detector.id}: example {number} finds {len(values)} values or another one")
            for match in found:
                confidence = example.get("confidence", match.confidence.name)
                if match.confidence != Confidence[confidence] or match.sample != example.get("sample", False):
                    raise DetectorError(
                        f"{detector.id}: example {number} is {match.confidence.name}, sample {match.sample}"
                    )


def standard_engine(
    only: Iterable[Detector] | None = None, *, regions: Sequence[str] = (), cache: Cache | None = None
) -> Engine:
    """Return an engine of every detector (or of `only` these), each proved on its examples, for values of `regions`.

    What takes long, to compile and to prove, is done once for each `cache`.

    Raises
    ------
    DetectorError
        A detector does not do what its examples say.
    """
    known = tuple(detectors() if only is None else only)
    make_gate = partial(fastest_gate, cache=cache)
    # What is proved once are the detectors of all, and no others.
    proofs = cache if only is None else None
    name = _name_of_proof() if proofs is not None else ""
    if proofs is not None and proofs.load(name) is not None:
        return Engine(known, make_gate, regions=regions)
    engine = Engine(known, make_gate)
    prove(engine)
    if proofs is not None:
        proofs.store(name, b"proved")
    return Engine(known, make_gate, regions=regions) if regions else engine


def _name_of_proof() -> str:
    """Return what stands for all that a proof depends on: detectors, code, and what validators ask."""
    parts = ruleset(), sys.version, metadata.version("phonenumbers")
    digest = hashlib.sha256("\0".join(parts).encode())
    return f"proof-{digest.hexdigest()}"
