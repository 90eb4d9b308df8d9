"""What the tests of detection share."""

from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any

import pytest

from tests.fakes.hyperscan_databases import compiled_once
from waybill.scanning.domain.detection.engine import Engine
from waybill.scanning.domain.detection.gates import HyperscanGate, StandardGate
from waybill.scanning.domain.detection.proof import standard_engine
from waybill.scanning.domain.detection.rules import detectors
from waybill.scanning.domain.detection.scanner import ObjectScanner, Report

type Scan = Callable[..., Report]


@pytest.fixture(scope="session", autouse=True)
def _compiled_once() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patched:
        compiled_once(patched)
        yield


@pytest.fixture(scope="session")
def engine() -> Engine:
    """Every detector behind Hyperscan's gate."""
    return Engine(detectors(), HyperscanGate)


@pytest.fixture(scope="session")
def plain_engine() -> Engine:
    """Every detector behind the standard library's gate."""
    return Engine(detectors(), StandardGate)


@pytest.fixture(scope="session")
def proved_engine() -> Engine:
    return standard_engine()


@pytest.fixture(scope="session")
def scan(engine: Engine) -> Scan:
    """Scan bytes; keyword arguments go to the scanner."""

    def run(content: bytes, **options: Any) -> Report:
        return ObjectScanner(engine, b"key of the tests", **options).scan(BytesIO(content).read)

    return run
