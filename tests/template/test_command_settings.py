"""What commands take from the stack's outputs is what functions get in their environment."""

import json
from typing import Any

import pytest

from scripts.template import load_template
from waybill.cli.deployment import OUTPUT_OF_SETTING


@pytest.mark.parametrize(("setting", "output"), OUTPUT_OF_SETTING.items())
def test_an_output_says_what_functions_are_given(setting: str, output: str) -> None:
    template = load_template()
    said = template["Outputs"][output]["Value"]
    functions = (each["Properties"] for each in template["Resources"].values() if "Function" in each["Type"])
    given = [
        function["Environment"]["Variables"][setting]
        for function in functions
        if setting in function.get("Environment", {}).get("Variables", {})
    ]
    assert given, f"no function has {setting}"
    assert all(value == said or _names_the_same_state_machine(value, said, template) for value in given), given


def _names_the_same_state_machine(value: Any, said: Any, template: dict[str, Any]) -> bool:
    """Functions that a state machine calls get its ARN put together, since it depends on them."""
    machine = template["Resources"].get(said.get("Ref"), {})
    name = machine.get("Properties", {}).get("Name", {}).get("Fn::Sub")
    return name is not None and f":stateMachine:{name}" in json.dumps(value)
