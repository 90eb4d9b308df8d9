"""What commands take from the stack's outputs is what functions get in their environment."""

import importlib
import json
import pkgutil
from typing import Any

import pytest

import waybill
from scripts.template import load_template
from waybill.cli.deployment import setting_of
from waybill.core.settings import WaybillSettings

# Commands ask the API instead, or have no need of it.
FUNCTIONS_ALONE = {
    "CONSOLE_SESSIONS_TABLE",
    "SCAN_SECRET_ARN",
    "SCAN_WEBHOOK_QUEUE_URL",
    "UPSTREAM_SECRET_PREFIX",
}


def _below(settings: type[WaybillSettings]) -> set[type[WaybillSettings]]:
    # Those of tests are not the stack's.
    found = {each for each in settings.__subclasses__() if each.__module__.startswith("waybill.")}
    return found.union(*map(_below, found))


def settings() -> set[type[WaybillSettings]]:
    for module in pkgutil.walk_packages(waybill.__path__, "waybill."):
        if module.name.endswith(".settings"):
            importlib.import_module(module.name)
    return _below(WaybillSettings)


OUTPUT_OF_SETTING = {setting_of(output): output for output in load_template()["Outputs"]}
NAMES = {name.upper() for each in settings() for name in each.model_fields}


def test_a_command_finds_every_setting_that_has_no_default() -> None:
    fields = ((name, field) for each in settings() for name, field in each.model_fields.items())
    needed = {name.upper() for name, field in fields if field.is_required()}
    missing = needed - OUTPUT_OF_SETTING.keys() - FUNCTIONS_ALONE
    assert missing == set(), "needs an output of its name, such as ScansTableName, or functions alone need it"


@pytest.mark.parametrize("setting", sorted(NAMES & OUTPUT_OF_SETTING.keys()))
def test_an_output_says_what_functions_are_given(setting: str) -> None:
    template = load_template()
    said = template["Outputs"][OUTPUT_OF_SETTING[setting]]["Value"]
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
