"""What is made of parameters fits what AWS takes, whatever they are filled with, and it fits in every partition."""

import json
import re

import pytest

from scripts.deployment import Deployment
from scripts.limits import (
    ENVIRONMENT,
    INLINE_POLICIES,
    MANAGED_POLICY,
    MOST,
    STACK,
    STATE_MACHINE_NAME,
    environment,
    largest,
    size,
)
from scripts.template import PROJECT, load_template
from tests.template.support.rules import every
from tests.template.support.stack import Stack, made_names


@pytest.fixture(scope="module")
def filled(stack: Stack) -> Deployment:
    """A deployment whose parameters are all as long as they may be, or as large."""
    return largest(stack.template)


@every(("name", "items"), MOST.items())
def test_a_list_takes_so_many_and_no_more(stack: Stack, name: str, items: list[str]) -> None:
    parameter = stack.template["Parameters"][name]
    taken, longer, more = ",".join(items), ",".join([*items[1:], items[0] + "x"]), ",".join([*items, items[0]])
    assert re.fullmatch(parameter["AllowedPattern"], taken)
    assert not re.fullmatch(parameter["AllowedPattern"], longer)
    assert not re.fullmatch(parameter["AllowedPattern"], more)


@every("policy", made_names("AWS::IAM::ManagedPolicy"))
def test_a_managed_policy_fits(filled: Deployment, policy: str) -> None:
    assert size(filled.resources[policy]["Properties"]["PolicyDocument"]) <= MANAGED_POLICY


def test_the_policies_of_roles_fit(filled: Deployment) -> None:
    sizes = {
        name: sum(size(policy["PolicyDocument"]) for policy in role.get("Policies", []))
        for name, role in filled.of_type("AWS::IAM::Role").items()
    }
    assert {name: found for name, found in sizes.items() if found > INLINE_POLICIES} == {}


def test_the_environments_of_functions_fit(filled: Deployment) -> None:
    sizes = {name: environment(function) for name, function in filled.of_type("AWS::Lambda::Function").items()}
    assert {name: found for name, found in sizes.items() if found > ENVIRONMENT} == {}


def test_an_environment_is_measured_as_lambda_measures_it() -> None:
    """As a JSON text: `{"A":"\\\"\u00fc\\\""}` has fourteen bytes, two of them those of the u with dots."""
    assert environment({"Environment": {"Variables": {"A": '"\u00fc"'}}}) == 14


@every("name", ("DestinationOptions", "AuthJwks"))
def test_what_is_json_is_filled_with_json(filled: Deployment, name: str) -> None:
    parameter, text = load_template()["Parameters"][name], filled.value({"Ref": name})
    assert json.loads(text)
    assert len(text) == parameter["MaxLength"]
    assert re.fullmatch(parameter["AllowedPattern"], text)


def test_state_machines_of_a_stack_with_a_long_name_have_names(filled: Deployment) -> None:
    named = [machine["StateMachineName"] for machine in filled.of_type("AWS::StepFunctions::StateMachine").values()]
    assert named
    assert [name for name in named if len(name) > STATE_MACHINE_NAME] == []
    assert f"at most {len(STACK)} characters" in (PROJECT / "docs" / "deployment.md").read_text("utf-8")


def test_nothing_is_of_one_partition_alone() -> None:
    """GovCloud is aws-us-gov, China aws-cn (IAM user guide, "Amazon Resource Names")."""
    definitions = {file.name: file.read_text("utf-8") for file in (PROJECT / "statemachine").glob("*.json")}
    texts = {"template.yaml": json.dumps(load_template()), **definitions}
    assert {name: found for name, text in texts.items() if (found := re.findall(r"arn:aws[\w-]*:\S{0,40}", text))} == {}


def test_what_the_functions_could_not_read_is_refused_before_anything_is_made(stack: Stack) -> None:
    taken = {
        "DestinationOptions": [
            "{}",
            '{"copies": {"storageClass": "GLACIER_IR", "tags": {"a": "b"}}, "more.copies": {"acl": "private"}}',
            '{\n  "copies": {"owner": "123456789012"}\n}',
        ],
        "AuthJwks": ["", '{"keys": [{"kty": "RSA"}]}'],
        "SubjectAccessPrivateRanges": ["", "10.0.0.0/8", "10.1.0.0/16, 192.168.0.0/24", "fd00::/8,::ffff:10.0.0.0/104"],
        "SubjectAccessHosts": ["", "*.service.example", "host:8443, http://other.example:*", "https://a.b-c.example"],
    }
    refused = {
        "DestinationOptions": ["", '{"copies": {"acl": "private"}', '{"copies": "private"}', '{"copies": {}, }', "[]"],
        "AuthJwks": ['{"keys": [', "https://example.org/jwks"],
        "SubjectAccessPrivateRanges": [
            "10.0.0.0",
            "10.0.0/8",
            "internal/8",
            "10.0.0.0/8;fd00::/8",
            "10.0.0.0/8 fd00::/8",
        ],
        "SubjectAccessHosts": ["https://host/path", "*", "host:port", "-host", "host;other"],
    }
    for name, texts in taken.items():
        pattern = stack.template["Parameters"][name]["AllowedPattern"]
        assert [text for text in texts if not re.fullmatch(pattern, text)] == []
        assert [text for text in refused[name] if re.fullmatch(pattern, text)] == []
