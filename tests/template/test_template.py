"""The template as a file: its size, and what its loops become."""

import copy
import re

from scripts.generated import filled
from scripts.template import PROJECT, load_template, template_with_loops
from scripts.template_lists import LISTS
from tests.template.support.stack import Stack

# One file that is written and read by people.
LINES = 4400
# A stack holds 500 (CloudFormation User Guide, "CloudFormation quotas"); what a change doubles for a while counts too.
RESOURCES = 350


def test_can_be_lived_in(stack: Stack) -> None:
    assert len((PROJECT / "template.yaml").read_text("utf-8").splitlines()) <= LINES
    full = f"{len(stack.resources)} resources: say beside RESOURCES why there have to be more, or let two be one"
    assert len(stack.resources) <= RESOURCES, full


def test_what_all_share_names_nothing_of_a_workflow_by_hand() -> None:
    """Whoever adds a workflow writes its section, and `scripts/lists` writes what follows from it."""
    by_hand = filled((PROJECT / "template.yaml").read_text("utf-8"), dict.fromkeys(LISTS, lambda: iter(())))
    resources = by_hand.partition("\nResources:\n")[2].partition("\nOutputs:\n")[0]
    banners = re.split(r"^  # -+\n  # (.+)\n  # -+\n", resources, flags=re.MULTILINE)
    sections = dict(zip(banners[1::2], banners[2::2], strict=True))
    shared = [sections.pop(name) for name in ("Shared", "API")]
    sections.pop("Dashboard")  # which shows what its author chose
    assert len(sections) >= 7
    own = {name for section in sections.values() for name in re.findall(r"^  (\w+):", section, flags=re.MULTILINE)}
    named = {word for section in shared for word in re.findall(r"\b\w+\b", re.sub(r"# .*", "", section))}
    assert own & named == set(), "let scripts/template_lists.py write it, or write it in the section"


def test_the_loops_become_what_another_interpreter_makes_of_them() -> None:
    """cfn-lint's, of which the deployment knows nothing; it is too slow to read the template with every time."""
    from cfnlint.template import Template  # whose import takes a second, which no other worker needs to wait

    written = template_with_loops()
    loops = {name: one for name, one in written["Resources"].items() if name.startswith("Fn::ForEach::")}
    assert loops
    other = Template(None, copy.deepcopy(written | {"Resources": loops, "Transform": "AWS::LanguageExtensions"}))
    assert other.transform() == []
    # What is in no loop stays as it is written.
    plain = {name: one for name, one in written["Resources"].items() if name not in loops}
    assert load_template()["Resources"] == plain | other.template["Resources"]
