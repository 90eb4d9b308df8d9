"""Every state machine of the template: its shape, what it tries again, what it catches, and the names in it."""

import json
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from jsonata.jsonata import Jsonata

from scripts.template import readable
from tests.template.support.code import Code
from tests.template.support.jsonata import CLOSE, OPEN, is_expression
from tests.template.support.machines import Machine, Scope, State, invoking, machines
from tests.template.support.rules import every
from tests.template.support.stack import Stack
from waybill.core import errors

# Step Functions developer guide, "Handling errors in Step Functions workflows" and "Call Lambda with Step Functions".
STATES_ERRORS = {
    f"States.{name}"
    for name in [
        "ALL",
        "BranchFailed",
        "DataLimitExceeded",
        "ExceedToleratedFailureThreshold",
        "HeartbeatTimeout",
        "ItemReaderFailed",
        "NoChoiceMatched",
        "Permissions",
        "QueryEvaluationError",
        "ResultWriterFailed",
        "Runtime",
        "TaskFailed",
        "Timeout",
    ]
}
LAMBDA_SERVICE_ERRORS = {
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
}
LAMBDA_ERRORS = LAMBDA_SERVICE_ERRORS | {
    "Lambda.TooManyRequestsException",
    "Lambda.Unknown",
    "Runtime.ExitError",
    "Sandbox.Timedout",
}
# The prefix of a service's errors by the kind of integration (Step Functions developer guide, "Handling errors in Step
# Functions workflows", "Perform CRUD operations on DynamoDB"). Names are compared by the letter.
OPTIMISED = {
    "dynamodb": {"DynamoDB"},
    "events": {"EventBridge"},
    "lambda": {"Lambda", "Runtime", "Sandbox"},
    "sns": {"SNS"},
    "sqs": {"SQS"},
    "states": {"StepFunctions"},
}
# `aws-sdk:` has the Java SDK's names of services.
SDK = {"dynamodb": "DynamoDb", "s3": "S3", "secretsmanager": "SecretsManager", "sfn": "Sfn", "sns": "Sns", "sqs": "Sqs"}
# `DynamoDb.ConditionalCheckFailedException`, wherever it stands; a prefix that no service has is none of an error.
PREFIXES = {"States", *SDK.values(), *(prefix for some in OPTIMISED.values() for prefix in some)}
ERROR_NAME = re.compile(rf"(?<![\w.:$])({'|'.join(PREFIXES)})\.([A-Z]\w+)(?!\w*\()")
VARIABLE = re.compile(r"\$([A-Za-z_]\w*)(?!\w*\()")
# What a service's own faults arrive as. What the integration has no class for has the name of all its errors.
TRANSIENT = {
    "DynamoDB": {
        "DynamoDB.AmazonDynamoDBException",
        "DynamoDB.InternalServerErrorException",
        "DynamoDB.ProvisionedThroughputExceededException",
        "DynamoDB.RequestLimitExceededException",
    },
    "StepFunctions": {"StepFunctions.AWSStepFunctionsException", "StepFunctions.ThrottlingException"},
    "Lambda": LAMBDA_SERVICE_ERRORS | {"Lambda.TooManyRequestsException"},
}
# Step Functions developer guide, "Choosing workflow type".
EXPRESS_SECONDS = 300
# Errors that are answered at once, and so cost a try none of its time limit.
AT_ONCE = {"Lambda.TooManyRequestsException"}
# Retrying `States.ALL` would repeat what can never work; naming it beside others, what cannot be told apart.
BLANKET = {
    "States.ALL",
    "States.TaskFailed",
    "States.Runtime",
    "States.DataLimitExceeded",
    "States.QueryEvaluationError",
}

# States that do the same as another one, in another Map: names of states are unique within a machine.
SAME_AS = {"MintManifestChunk": "MintChunk", "WorkOnPart": "WorkOnJob", "RecordStop": "WorkOnJob"}

# Maps whose bound is the function's answer, `concurrency`, that the variable sets.
BOUND_BY = {
    **dict.fromkeys(("MintChunks", "MintManifest"), ("PlanMintingFunction", "MINTING_CONCURRENCY")),
    "CheckConsignment": ("GetFilesFunction", "CONSIGNMENT_CONCURRENCY"),
    "CopyConsignment": ("GenerateStatusesFunction", "CONSIGNMENT_CONCURRENCY"),
}

MACHINES = machines()
TASKS = [(machine, state) for machine in MACHINES for state in machine.states if state.kind == "Task"]


every_machine = every("machine", MACHINES)
every_task = every(("machine", "state"), TASKS)
every_invocation = every(("machine", "state"), invoking())


def test_every_definition_is_used(project: Path) -> None:
    folder = project / "statemachine"
    assert {machine.file for machine in MACHINES} == set(folder.glob("*.asl.json")) == set(folder.iterdir())


@every_machine
def test_the_resources_of_a_definition_differ_in_type_alone(machine: Machine) -> None:
    same = ("DefinitionUri", "DefinitionSubstitutions", "Role", "Logging", "Tracing")
    first, *others = machine.resources.values()
    assert all([other[key] for key in same] == [first[key] for key in same] for other in others)
    types = [resource["Type"] for resource in machine.resources.values()]
    assert len(set(types)) == len(types)
    assert set(types) <= {"STANDARD", "EXPRESS"}


@every_machine
def test_a_machine_is_named_after_its_definition(machine: Machine) -> None:
    stem = machine.file.name.removesuffix(".asl.json").replace("_", "-")
    for resource in machine.resources.values():
        suffix = "-express" if resource["Type"] == "EXPRESS" else ""
        assert readable(resource["Name"]) == f"<stack>-{stem}{suffix}"


@every_machine
def test_substitutions_match_both_ways(machine: Machine) -> None:
    assert machine.asked_for == set(machine.substitutions)


@every_machine
def test_a_definition_says_what_it_is_for_and_ends(machine: Machine) -> None:
    assert machine.definition["Comment"]
    assert machine.definition["TimeoutSeconds"] > max(state.body.get("TimeoutSeconds", 0) for state in machine.states)


@every_machine
def test_every_state_is_jsonata_but_those_that_cannot(machine: Machine) -> None:
    for state in machine.states:
        distributed = state.body.get("ItemProcessor", {}).get("ProcessorConfig", {}).get("Mode") == "DISTRIBUTED"
        assert state.language == ("JSONPath" if distributed else "JSONata"), state.name


@every_machine
def test_every_state_has_a_name_of_its_own_and_a_comment(machine: Machine) -> None:
    names = [state.name for state in machine.states]
    assert len(names) == len(set(names))
    for state in machine.states:
        assert re.fullmatch(r"([A-Z][a-z0-9]*|DB)+", state.name)
        assert state.body["Comment"].endswith("."), state.name


@every_machine
def test_every_transition_leads_to_a_state_of_its_scope(machine: Machine) -> None:
    for scope in machine.scopes:
        targets = {edge.to for state in scope.states.values() for edge in state.edges} - {None}
        assert scope.start in scope.states
        assert targets <= set(scope.states)


@every_machine
def test_every_state_is_reached(machine: Machine) -> None:
    for scope in machine.scopes:
        assert reached_from(scope, scope.start) == set(scope.states)


@every_machine
def test_every_path_ends(machine: Machine) -> None:
    for scope in machine.scopes:
        ends = {name for name, state in scope.states.items() if any(edge.to is None for edge in state.edges)}
        for name in scope.states:
            assert reached_from(scope, name) & ends, name


@every_machine
def test_a_state_goes_on_or_ends_and_a_choice_always_chooses(machine: Machine) -> None:
    for state in machine.states:
        if state.kind == "Choice":
            assert "Default" in state.body, state.name
        elif state.kind not in {"Succeed", "Fail"}:
            assert ("Next" in state.body) != bool(state.body.get("End")), state.name


@every_machine
def test_every_map_is_bounded(stack: Stack, machine: Machine) -> None:
    for state in machine.states:
        if state.kind == "Map":
            distributed = state.body["ItemProcessor"].get("ProcessorConfig", {}).get("Mode") == "DISTRIBUTED"
            # Step Functions developer guide, "Using Map state": about 40 inline iterations, 10,000 children.
            for bound in bounds_of(stack, state):
                assert 1 <= bound <= (10_000 if distributed else 40), state.name
            assert state.catchers, state.name


def bounds_of(stack: Stack, state: State) -> Iterator[float]:
    """How many iterations may run at a time; where a parameter decides, at its least and at its most."""
    bound = state.body.get("MaxConcurrency", state.body.get("MaxConcurrencyPath"))
    if not isinstance(bound, str):
        yield bound
        return
    function, variable = BOUND_BY[state.name]
    parameter = stack.template["Parameters"][stack[function]["Environment"]["Variables"][variable]["Ref"]]
    for limit in (parameter["MinValue"], parameter["Default"], parameter["MaxValue"]):
        if is_expression(bound):
            yield Jsonata(bound[len(OPEN) : -len(CLOSE)]).evaluate(None, {"plan": {"concurrency": limit}})
        else:
            assert bound == "$.concurrency"
            yield limit


@every_task
def test_a_task_has_a_time_limit_retries_and_a_catch(machine: Machine, state: State) -> None:
    assert state.body["TimeoutSeconds"] > 0
    assert state.retriers
    caught = state.catchers[-1]["ErrorEquals"] if state.catchers else None
    assert caught == ["States.ALL"], f"{state.name} needs a Catch of States.ALL, as its last"


@every_task
def test_a_task_is_tried_again_with_full_jitter_and_not_for_ever(machine: Machine, state: State) -> None:
    for retrier in state.retriers:
        assert retrier["JitterStrategy"] == "FULL"
        assert retrier["IntervalSeconds"] >= 1
        assert retrier["BackoffRate"] >= 1
        assert 1 <= retrier["MaxAttempts"] <= 50
        if retrier["BackoffRate"] > 1 and retrier["MaxAttempts"] > 5:
            assert retrier["MaxDelaySeconds"] <= 60


@every_task
def test_nothing_is_tried_again_blindly(machine: Machine, state: State) -> None:
    assert BLANKET & set(retried(state)) == set()


@every_task
def test_an_error_is_tried_again_by_one_rule(machine: Machine, state: State) -> None:
    names = list(retried(state))
    assert len(names) == len(set(names))


@every_task
def test_errors_have_the_names_that_step_functions_gives(machine: Machine, state: State) -> None:
    """A name with the prefix of another kind of integration is never met."""
    for name in matched(state):
        prefix, dot, error = name.partition(".")
        if not dot:
            assert machine.function_of(state), name
        elif prefix == "States":
            assert name in STATES_ERRORS, name
        else:
            assert prefix in prefixes(state), name
            assert name in LAMBDA_ERRORS if machine.function_of(state) else error.endswith("Exception"), name


@every_task
def test_passing_faults_of_the_service_are_tried_again(machine: Machine, state: State) -> None:
    for prefix in prefixes(state) - {"Runtime", "Sandbox"}:
        assert TRANSIENT[prefix] <= set(retried(state))


@every_invocation
def test_our_errors_are_raised_by_the_function(code: Code, stack: Stack, machine: Machine, state: State) -> None:
    raised = {name.rpartition(".")[2] for name in raised_by(code, stack, machine, state)}
    assert {name for name in matched(state) if "." not in name} <= raised


@every_invocation
def test_what_cannot_work_is_not_tried_again(code: Code, stack: Stack, machine: Machine, state: State) -> None:
    ours = {name.rpartition(".")[2]: name for name in raised_by(code, stack, machine, state)}
    for name in retried(state):
        if "." not in name:
            module, _, attribute = ours[name].rpartition(".")
            assert issubclass(getattr(import_module(module), attribute), errors.RetryableError), name


@every_invocation
def test_a_state_has_the_name_of_its_function(machine: Machine, state: State) -> None:
    # Its module and its sample event have it too: test_functions.
    assert machine.function_of(state) == f"{SAME_AS.get(state.name, state.name)}Function"


@every_invocation
def test_a_function_ends_before_its_state_gives_up(stack: Stack, machine: Machine, state: State) -> None:
    """At the same second the task would be tried again beside the try that still runs."""
    assert stack[str(machine.function_of(state))]["Timeout"] < state.body["TimeoutSeconds"]


@every_machine
def test_the_tries_of_all_tasks_fit_into_an_express_execution(machine: Machine) -> None:
    """What the execution's own end cuts off can be caught by nothing in it."""
    seconds: dict[tuple[str, ...], float] = {}
    for child, state in express_children(machine):
        seconds[child] = seconds.get(child, 0) + max(longest(state, retrier) for retrier in state.retriers)
    assert {child: found for child, found in seconds.items() if found > EXPRESS_SECONDS} == {}


def longest(state: State, retrier: dict[str, Any]) -> float:
    """How many seconds a task may take that fails by one kind of error until it is given up."""
    tried = 0 if set(retrier["ErrorEquals"]) <= AT_ONCE else state.body["TimeoutSeconds"]
    pauses = [
        min(retrier["IntervalSeconds"] * retrier["BackoffRate"] ** number, retrier.get("MaxDelaySeconds", 1e9))
        for number in range(retrier["MaxAttempts"])
    ]
    return float(state.body["TimeoutSeconds"] + tried * retrier["MaxAttempts"] + sum(pauses))


@every_machine
def test_a_failure_is_never_reported_by_a_name_of_step_functions_own(machine: Machine) -> None:
    """Names that begin with `States.` are reserved (Amazon States Language, "Errors"); the cause still has it."""
    caught = {"Error": "States.Timeout", "error": "States.Timeout"}
    for state in machine.states:
        if state.kind == "Fail":
            # Any variable may be where the definition keeps what it caught.
            named = set(VARIABLE.findall(f"{state.body['Error']} {state.body['Cause']}")) - {"states"}
            variables = dict.fromkeys(named, caught) | {"states": {"input": caught}}
            error = evaluated(state.body["Error"], variables)
            reserved = f"{state.name}: names that begin with States. are Step Functions' own, see MintingFailed"
            assert not str(error).startswith("States."), reserved
            if error != evaluated(state.body["Error"], dict.fromkeys(named) | {"states": {"input": {}}}):
                assert "States.Timeout" in str(evaluated(state.body["Cause"], variables)), state.name


@every_machine
def test_names_of_errors_are_those_of_the_services_that_the_machine_asks(machine: Machine) -> None:
    """Also where a condition compares them, and where a Map catches what a task within it did not."""
    asked = set().union(*(prefixes(state) for state in machine.states if state.kind == "Task"))
    named = set(ERROR_NAME.findall(json.dumps(machine.definition)))
    assert {f"{prefix}.{name}" for prefix, name in named if prefix not in asked | {"States"}} == set()
    assert {f"States.{name}" for prefix, name in named if prefix == "States"} <= STATES_ERRORS
    lambdas = {f"{prefix}.{name}" for prefix, name in named if prefix in OPTIMISED["lambda"]}
    assert lambdas <= LAMBDA_ERRORS


@every_machine
def test_every_function_that_is_put_in_is_run_by_a_state(machine: Machine) -> None:
    put_in = {name.removesuffix("Arn") for name in machine.substitutions if name.endswith("FunctionArn")}
    assert put_in == {machine.function_of(state) for state in machine.states} - {None}


def prefixes(state: State) -> set[str]:
    """What the names of the errors begin with that the service of a task reports."""
    _, _, service = state.body["Resource"].partition(":::")
    if service.startswith("aws-sdk:"):
        return {SDK[service.split(":")[1]]}
    return OPTIMISED[service.split(":")[0]]


def express_children(machine: Machine) -> Iterator[tuple[tuple[str, ...], State]]:
    """The tasks that run in Express executions which a Map starts, with the Map."""
    for scope in machine.scopes:
        for holder, state in scope.states.items():
            if state.body.get("ItemProcessor", {}).get("ProcessorConfig", {}).get("ExecutionType") == "EXPRESS":
                inside = [
                    one for one in machine.scopes if one.holder[: len(scope.holder) + 1] == (*scope.holder, holder)
                ]
                tasks = [task for one in inside for task in one.states.values() if task.kind == "Task"]
                yield from (((*scope.holder, holder), task) for task in tasks)


def evaluated(text: str, variables: dict[str, Any]) -> Any:
    """The value of a field of a state."""
    return Jsonata(text[len(OPEN) : -len(CLOSE)]).evaluate(None, variables) if is_expression(text) else text


def reached_from(scope: Scope, start: str) -> set[str]:
    found: set[str] = set()
    waiting = [start]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += [edge.to for edge in scope.states[name].edges if edge.to]
    return found


def retried(state: State) -> Iterator[str]:
    for retrier in state.retriers:
        yield from retrier["ErrorEquals"]


def matched(state: State) -> Iterator[str]:
    yield from retried(state)
    for catcher in state.catchers:
        yield from catcher["ErrorEquals"]


def raised_by(code: Code, stack: Stack, machine: Machine, state: State) -> frozenset[str]:
    return code.reach(stack[str(machine.function_of(state))]["Handler"]).errors
