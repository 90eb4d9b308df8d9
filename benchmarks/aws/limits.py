"""How much of AWS's limits a stack takes whose parameters are filled to the most that they take."""

from collections.abc import Iterator

from benchmarks.harness import Benchmark, Figure, Lab
from benchmarks.harness.report import breakdown
from scripts import limits
from scripts.template import Tree, transformed_template

_HOW = "the transformed template with every parameter at its most, per cent of the limit"


def _measure(lab: Lab) -> Iterator[Figure]:
    found = taken(transformed_template())
    rows = [[name, used, most, round(100 * used / most)] for name, (used, most) in found.items()]
    lab.show(breakdown("Of AWS's limits, at the parameters' most", ["", "Taken", "Limit", "%"], rows))
    for name, (used, most) in found.items():
        yield Figure(f"aws.limit_percent.{name}", round(100 * used / most, 1), "%", _HOW, {name: used}, target="< 100")


def taken(template: Tree) -> dict[str, tuple[int, int]]:
    """Return what is taken, of how much."""
    filled = limits.largest(template)
    policies = [one["PolicyDocument"] for one in filled.of_type("AWS::IAM::ManagedPolicy").values()]
    inline = [
        sum(limits.size(policy["PolicyDocument"]) for policy in role.get("Policies", []))
        for role in filled.of_type("AWS::IAM::Role").values()
    ]
    machines = filled.of_type("AWS::StepFunctions::StateMachine").values()
    functions = filled.of_type("AWS::Lambda::Function").values()
    return {
        "resources": (len(template["Resources"]), limits.RESOURCES),
        "parameters": (len(template["Parameters"]), limits.PARAMETERS),
        "outputs": (len(template["Outputs"]), limits.OUTPUTS),
        "managed_policy": (max(map(limits.size, policies)), limits.MANAGED_POLICY),
        "inline_policies": (max(inline), limits.INLINE_POLICIES),
        "environment": (max(map(limits.environment, functions)), limits.ENVIRONMENT),
        "state_machine_name": (max(len(one["StateMachineName"]) for one in machines), limits.STATE_MACHINE_NAME),
    }


BENCHMARKS = (Benchmark(("aws.limit_percent.*",), _measure),)
