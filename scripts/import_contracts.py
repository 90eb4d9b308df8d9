"""Contracts on imports that name the workflows by what they are, so that a new one is in all of them by its folder.

`*workflows` in a list of modules, or as a layer, stands for every package of `waybill` but those below.
"""

from pathlib import Path
from typing import Any, override

from importlinter.contracts.forbidden import ForbiddenContract
from importlinter.contracts.layers import LayersContract

_PACKAGE = Path("src", "waybill")
_WORKFLOWS = "*workflows"
_NO_WORKFLOWS = frozenset({"cli", "console", "core", "gateway"})


class WorkflowLayers(LayersContract):
    """import-linter's `layers`, with the workflows in `containers` and `layers`, where they do not see each other."""

    type_name = "workflow_layers"

    @override
    def __init__(self, name: str, session_options: dict[str, Any], contract_options: dict[str, Any]) -> None:
        options = {
            **contract_options,
            "containers": _expanded(contract_options["containers"]),
            "layers": [" | ".join(workflows()) if each == _WORKFLOWS else each for each in contract_options["layers"]],
        }
        super().__init__(name, session_options, options)


class WorkflowForbidden(ForbiddenContract):
    """import-linter's `forbidden`, with the workflows in `forbidden_modules`."""

    type_name = "workflow_forbidden"

    @override
    def __init__(self, name: str, session_options: dict[str, Any], contract_options: dict[str, Any]) -> None:
        options = {**contract_options, "forbidden_modules": _expanded(contract_options["forbidden_modules"])}
        super().__init__(name, session_options, options)


def workflows(package: Path = _PACKAGE) -> list[str]:
    """Return the names of the workflows; without `package`, of the folder that import-linter is started in."""
    return sorted(file.parent.name for file in package.glob("*/__init__.py") if file.parent.name not in _NO_WORKFLOWS)


def _expanded(modules: list[str]) -> list[str]:
    named = [f"waybill.{workflow}" for workflow in workflows()]
    return [module for each in modules for module in (named if each == _WORKFLOWS else [each])]
