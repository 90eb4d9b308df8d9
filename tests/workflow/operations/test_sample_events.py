"""The sample events, as `sam remote invoke` sends them to the functions."""

import importlib
import json
import re
from pathlib import Path

import pytest

import waybill
from tests.workflow.support.application import Application
from waybill.core.errors import WaybillError

EVENTS = Path(__file__).resolve().parents[3] / "events"
SAMPLES = sorted(str(file.relative_to(EVENTS)) for file in EVENTS.glob("*/*.json"))


@pytest.mark.parametrize("sample", SAMPLES)
def test_function_understands_its_sample_event(application: Application, sample: str) -> None:
    """What the samples name does not exist here, which is told by an error of ours or an answer, never by a crash."""
    event = json.loads((EVENTS / sample).read_text("utf-8"))
    function = function_of(Path(sample).stem, application.resources)

    answer = application.invoke(application.resources[function], event)

    if sample == "gateway/authorise.json":  # its token is no token: API Gateway makes a 401 of a denial
        (statement,) = answer.payload["policyDocument"]["Statement"]
        assert statement["Effect"] == "Deny"
    else:
        assert answer.error is None or answer.error in our_errors(), answer.payload


def our_errors() -> set[str]:
    """Return the names of all error classes of the core and the workflows."""
    for module in Path(waybill.__path__[0]).glob("*/errors.py"):
        importlib.import_module(f"waybill.{module.parent.name}.errors")
    classes: list[type[WaybillError]] = [WaybillError]
    for known in classes:
        classes += known.__subclasses__()
    return {known.__name__ for known in classes}


def function_of(stem: str, resources: dict[str, str]) -> str:
    """Return the function whose name, in snake case, `stem` begins with."""
    functions = {
        re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().removesuffix("_function"): name
        for name in resources
        if name.endswith("Function")
    }
    functions["update_dynamodb_final"] = "UpdateDynamoDBFinalFunction"
    return functions[max((known for known in functions if stem.startswith(known)), key=len)]
