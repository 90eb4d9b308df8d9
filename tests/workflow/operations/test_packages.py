"""What functions are made of, as it was built for this stack, fits what Lambda takes."""

from functools import cache
from pathlib import Path

from scripts.template import layers_of, template_with_loops
from tests.template.support.stack import FUNCTION, names
from tests.workflow.support.application import Application

# AWS Lambda developer guide, "Lambda quotas": a deployment package with its layers, unzipped.
UNZIPPED = 250 * 1024**2


def test_a_function_and_its_layers_fit(application: Application) -> None:
    """The embedded AWS takes what is larger; AWS answers "Unzipped size must be smaller than 262144000 bytes"."""
    built = application.stack.local.sam.built_template
    resources = template_with_loops(built.read_text("utf-8"))["Resources"]

    @cache
    def size(folder: Path) -> int:
        return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())

    def folder(name: str, key: str) -> Path:
        return (built.parent / resources[name]["Properties"][key]).resolve()

    sizes = {
        name: size(folder(name, "CodeUri")) + sum(size(folder(layer, "ContentUri")) for layer in layers_of(name))
        for name in names(FUNCTION)
    }
    # All have one source; those with metadata of their own are another build of it.
    assert len({folder(name, "CodeUri") for name in names(FUNCTION)}) <= 2
    assert min(sizes.values()) > 1024**2
    assert {name: found for name, found in sizes.items() if found > UNZIPPED} == {}
