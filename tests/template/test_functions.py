"""Every function: logs, traces, layers, settings, what becomes of events that it cannot handle."""

import re
from importlib import import_module
from pathlib import Path

import pytest

from scripts.deployment import Deployment
from scripts.template import layers_of, load_template, readable, readable_list, statements
from tests.template.support.code import Code, Reach
from tests.template.support.layers import packages_of
from tests.template.support.references import references
from tests.template.support.routes import routes_of
from tests.template.support.rules import every
from tests.template.support.stack import FUNCTION, Stack, names, target
from waybill.core.settings import ObservabilitySettings, WaybillSettings

# AWS Lambda Developer Guide, "Adding layers to functions".
LAYERS_OF_A_FUNCTION = 5

ASYNCHRONOUS = {"CloudWatchEvent", "EventBridgeRule", "S3", "SNS", "Schedule", "ScheduleV2"}
# Services that invoke asynchronously whoever wrote the permission (Lambda Developer Guide, "Invoking a function
# asynchronously"; rule ES1007 of cfn-lint-serverless has the same).
ASYNCHRONOUS_SERVICES = {f"{name}.amazonaws.com" for name in ("events", "iot", "s3", "sns")}
# AWS Lambda Developer Guide, "How Lambda handles errors and retries with asynchronous invocation": two more by default.
RETRIES = 2
# API Gateway gives up after 29 seconds.
API_SECONDS = 29
# Lambda sets these itself (AWS Lambda Developer Guide, "Defined runtime environment variables").
# `AWS_REGION` is a reserved variable (developer guide, "Defined runtime environment variables"); the embedded AWS sets
# `AWS_ENDPOINT_URL` for the functions that it runs.
BY_LAMBDA = frozenset({"LD_LIBRARY_PATH", "AWS_REGION", "AWS_ENDPOINT_URL"})
# The network itself, beside the parameters that permit what is in one.
NETWORK = {"PrivateSubnetIds", "PrivateSecurityGroupIds"}
PRIVATE = {
    name
    for name, one in load_template()["Parameters"].items()
    if "private" in f"{name} {one['Description']}".lower() and name not in NETWORK
}
NOT_SETTINGS = {"AWS_XRAY_CONTEXT_MISSING"}  # read by the X-Ray SDK

every_function = every("function", names(FUNCTION))


def handler_module(function: str) -> str:
    handler: str = load_template()["Resources"][function]["Properties"]["Handler"]
    return handler.rpartition(".")[0]


def reach_of(stack: Stack, code: Code, function: str) -> Reach:
    return code.reach(stack[function]["Handler"], routes_of(stack, function))


@every_function
def test_function_module_and_sample_event_have_one_name(project: Path, function: str) -> None:
    _, package, handlers, module = handler_module(function).split(".")
    assert handlers == "handlers"
    assert module.replace("_", "") == function.removesuffix("Function").lower()
    assert (project / "src" / "waybill" / package / "handlers" / f"{module}.py").exists()
    assert (project / "events" / package / f"{module}.json").exists()


@every_function
def test_logs_go_to_a_group_that_forgets(stack: Stack, function: str) -> None:
    group = stack.resources[target(stack[function]["LoggingConfig"]["LogGroup"])]
    assert group["Type"] == "AWS::Logs::LogGroup"
    assert group["Properties"]["RetentionInDays"] == {"Ref": "LogRetentionDays"}


@pytest.mark.parametrize("level", ["DEBUG", "INFO", "WARNING", "ERROR"])
def test_lambda_filters_no_metric_and_no_line_that_was_asked_for(stack: Stack, level: str) -> None:
    """A line without a level, as metrics are, counts as INFO (Lambda Developer Guide, "Log-level filtering").

    TRACE, which filters nothing either, would be the level of all libraries in the function.
    """
    functions = Deployment(stack.template, LogLevel=level).of_type("AWS::Lambda::Function")
    configurations = [function["LoggingConfig"] for function in functions.values()]
    filtered = {one["ApplicationLogLevel"] for one in configurations if one.get("LogFormat") == "JSON"}
    assert filtered == {"DEBUG" if level == "DEBUG" else "INFO"}


@every_function
def test_traces(stack: Stack, function: str) -> None:
    assert stack[function]["TracingConfig"] == {"Mode": "Active"}


@every_function
def test_runs_on_the_processor_that_was_chosen(stack: Stack, function: str) -> None:
    assert stack[function]["Architectures"] == [{"Ref": "Architecture"}]
    assert stack[function]["Runtime"] == "python3.13"


def test_layers_are_for_the_processor_that_was_chosen(stack: Stack) -> None:
    layers = stack.of_type("AWS::Lambda::LayerVersion")
    assert layers
    for layer in layers.values():
        assert layer["CompatibleArchitectures"] == [{"Ref": "Architecture"}]
        assert layer["CompatibleRuntimes"] == ["python3.13"]
    for name in names("AWS::Serverless::LayerVersion"):
        assert stack.source["Resources"][name]["Metadata"]["BuildArchitecture"] == {"Ref": "Architecture"}


def test_a_function_brings_the_sdk_on_aws(stack: Stack) -> None:
    """AWS updates the runtime's in its own time (AWS Lambda Developer Guide, "Building with Python")."""
    for platform, brought in (("aws", True), ("embedded", False)):
        for function in Deployment(stack.template, Platform=platform).of_type(FUNCTION).values():
            assert any("SdkLayer" in layer for layer in function["Layers"]) is brought


@every_function
def test_has_the_layers_that_its_code_imports_and_no_other(stack: Stack, code: Code, function: str) -> None:
    imported = code.loads(stack[function]["Handler"], routes_of(stack, function))
    brought = {
        name: packages_of(stack.source["Resources"][name]["Properties"]["ContentUri"]) & imported
        for name in names("AWS::Serverless::LayerVersion")
    }
    layers = layers_of(function)
    given = set(layers)
    assert len(given) == len(layers) <= LAYERS_OF_A_FUNCTION
    assert given <= set(brought)
    missing = set().union(*brought.values()) - set().union(*(brought[name] for name in given))
    assert missing == set()
    for name in given - {"SdkLayer"}:  # a list of Globals cannot be made shorter
        # A package may be in several layers: one that brings nothing but what another brings is not needed.
        assert brought[name] - set().union(*(brought[other] for other in given - {name})), name


@every_function
def test_has_exactly_the_variables_of_the_settings_that_it_loads(stack: Stack, code: Code, function: str) -> None:
    classes = [_settings_class(name) for name in reach_of(stack, code, function).settings]
    assert ObservabilitySettings in classes
    wanted = {field.upper() for settings in classes for field in settings.model_fields} - BY_LAMBDA
    assert set(stack[function]["Environment"]["Variables"]) - NOT_SETTINGS == wanted


@every_function
def test_an_asynchronous_function_hands_over_what_it_cannot_handle(stack: Stack, function: str) -> None:
    """To a destination or a dead-letter queue.

    Lambda Developer Guide, "Capturing records of Lambda asynchronous invocations" and "Adding a dead-letter queue": the
    role has to be allowed to send to the queue, and to use the key by which it is encrypted.
    """
    events = [event for event in stack.events(function) if event.kind in ASYNCHRONOUS]
    configured = [
        config
        for config in stack.of_type("AWS::Lambda::EventInvokeConfig").values()
        if target(config["FunctionName"]) == function
    ]
    queues = [target(config["DestinationConfig"]["OnFailure"]["Destination"]) for config in configured]
    if "DeadLetterConfig" in stack[function]:
        queues.append(target(stack[function]["DeadLetterConfig"]["TargetArn"]))
    assert len(queues) == (bool(events) or _is_invoked_asynchronously(stack, function))
    assert all(config.get("MaximumRetryAttempts", RETRIES) == RETRIES for config in configured)
    for queue in queues:
        assert stack.resources[queue]["Type"] == "AWS::SQS::Queue"
        assert any(
            grant.action == "sqs:SendMessage" and grant.resource == queue for grant in stack.grants(f"{function}Role")
        )
        assert _is_opened_to_senders(stack, target(stack[queue]["KmsMasterKeyId"]))


def _is_invoked_asynchronously(stack: Stack, function: str) -> bool:
    return any(
        permission["Principal"] in ASYNCHRONOUS_SERVICES and target(permission["FunctionName"]) == function
        for permission in stack.of_type("AWS::Lambda::Permission").values()
    )


def _is_opened_to_senders(stack: Stack, key: str) -> bool:
    """Whether the key's own policy lets all of the account that may send to a queue use it through SQS.

    A producer needs both actions (Amazon SQS Developer Guide, "Key management"), a policy of a key may give them.
    """
    return any(
        {"kms:Decrypt", "kms:GenerateDataKey*"} <= set(readable_list(statement["Action"]))
        and statement["Effect"] == "Allow"
        and statement["Principal"] == {"AWS": "*"}
        and "sqs.<region>.amazonaws.com" in readable_list(statement["Condition"]["StringLike"]["kms:ViaService"])
        for statement, _ in statements(stack[key]["KeyPolicy"])
    )


@every_function
def test_answers_before_api_gateway_gives_up(stack: Stack, function: str) -> None:
    if any(event.kind == "Api" for event in stack.events(function)):
        assert stack[function]["Timeout"] < API_SECONDS


@every_function
def test_says_what_it_is_for(stack: Stack, function: str) -> None:
    assert re.fullmatch(r"[A-Z].*[^.]", stack[function]["Description"])


def test_parameters_about_private_networks_are_known_by_their_words() -> None:
    assert {"SubjectAccessPrivateRanges", "ScanWebhookPrivate", "ConsignmentClamdAddress"} <= PRIVATE


@every_function
def test_what_may_ask_in_private_networks_can_be_in_one(stack: Stack, function: str) -> None:
    """ "By default, your function isn't connected to VPCs in your account" (developer guide, on access to a VPC)."""
    given = set(references(stack[function].get("Environment", {})))
    answers = any(event.kind == "Api" for event in stack.events(function))
    asks = bool(given & PRIVATE) and not answers
    assert ("VpcConfig" in stack[function]) == asks
    if asks:
        network = {"PrivateSubnetIds": "subnet-1,subnet-2", "PrivateSecurityGroupIds": "sg-1"}
        inside = Deployment(stack.template, **network, ConsignmentClamdAddress="tcp://clamd.internal:3310")
        assert inside.resources[function]["Properties"]["VpcConfig"] == {
            "SubnetIds": ["subnet-1", "subnet-2"],
            "SecurityGroupIds": ["sg-1"],
        }
        assert "VpcConfig" not in Deployment(stack.template).resources[function]["Properties"]


def test_the_authoriser_answers_before_api_gateway_gives_up(stack: Stack) -> None:
    authoriser = readable(
        stack.source["Resources"]["Api"]["Properties"]["Auth"]["Authorizers"]["TokenAuthoriser"]["FunctionArn"]
    )
    assert stack[authoriser]["Timeout"] < API_SECONDS


def _settings_class(name: str) -> type[WaybillSettings]:
    module, _, attribute = name.rpartition(".")
    found: type[WaybillSettings] = getattr(import_module(module), attribute)
    return found
