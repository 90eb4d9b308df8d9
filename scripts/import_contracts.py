"""Contracts on imports that name modules by what they are, so that a new workflow is in all of them by its folder.

`*workflows` in a list of modules, or as a layer, stands for every package of `waybill` but those below.
"""

from pathlib import Path
from typing import Any, cast, override

from grimp import ImportGraph
from importlinter import ContractCheck, fields
from importlinter.contracts.forbidden import ForbiddenContract
from importlinter.contracts.layers import LayersContract
from importlinter.contracts.protected import ProtectedContract
from importlinter.domain.imports import ModuleExpression

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


class PrefixProtected(ProtectedContract):
    """import-linter's `protected`, with every module too whose name begins with `protected_prefix`.

    boto3-stubs has a package per service, and wildcards of import-linter stand for whole names.
    """

    type_name = "prefix_protected"

    protected_prefix = fields.StringField()

    @override
    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        prefix = str(self.protected_prefix)
        prefixed = [name for name in graph.modules if name.startswith(prefix)]
        given = cast("list[ModuleExpression]", self.protected_modules)
        self.__dict__["protected_modules"] = [*given, *map(ModuleExpression, prefixed)]
        return super().check(graph, verbose)


def workflows(package: Path = _PACKAGE) -> list[str]:
    """Return the names of the workflows; without `package`, of the folder that import-linter is started in."""
    return sorted(file.parent.name for file in package.glob("*/__init__.py") if file.parent.name not in _NO_WORKFLOWS)


def _expanded(modules: list[str]) -> list[str]:
    """Return `modules`, those below `*workflows` once for each workflow."""
    return [
        each.replace(_WORKFLOWS, f"waybill.{workflow}")
        for each in modules
        for workflow in (workflows() if each.startswith(_WORKFLOWS) else [""])
    ]
