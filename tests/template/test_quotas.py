"""Quotas and refusals of AWS that no emulator knows, and that would be met in the middle of a deployment or later."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from jsonata.jsonata import Jsonata

from scripts.deployment import Deployment
from scripts.limits import ACCOUNT, REGION, STACK, largest
from scripts.template import Tree, readable, readable_list, statements, transformed_template
from tests.template.support.jsonata import CLOSE, OPEN
from tests.template.support.machines import machines
from tests.template.support.references import references
from tests.template.support.rules import every
from tests.template.support.stack import Stack, made_names, target

# Lambda developer guide, "Lambda quotas": a function's resource-based policy, in bytes.
FUNCTION_POLICY = 20 * 1024
# Policies of buckets (S3 API reference, PutBucketPolicy), of queues (SQS developer guide, "Quotas related to policies")
# and of topics (SNS endpoints and quotas), of keys (KMS developer guide, "Quotas"), in bytes; who may take a role on
# (IAM user guide, "IAM and AWS STS quotas"), in characters.
DOCUMENTS = {
    "AWS::S3::BucketPolicy": 20 * 1024,
    "AWS::SQS::QueuePolicy": 8 * 1024,
    "AWS::SNS::TopicPolicy": 30_720,
}
KEY_POLICY, TRUST_POLICY, POLICIES_OF_A_ROLE = 32 * 1024, 2048, 10
# API Gateway developer guide, "Quotas for configuring and running a REST API".
API_RESOURCES = 300
# CloudFormation user guide, "CloudFormation quotas": a template in S3.
TEMPLATE_BYTES = 1024**2
# EventBridge user guide, "Amazon EventBridge quotas": characters of a pattern, targets of a rule.
EVENT_PATTERN, TARGETS = 2048, 5
# Lambda developer guide, "Lambda quotas": "New AWS accounts have reduced concurrency and memory quotas"; 3,008 MB is
# the largest function that those take ("Member must have value less than or equal to 3008").
MEMORY_IN_A_NEW_ACCOUNT = 3008
# Step Functions developer guide, "Service quotas": bytes of a definition, characters of a state's name; "Using Map
# state in Distributed mode": of a label.
DEFINITION, STATE_NAME, LABEL = 1024**2, 80, 40
HISTORY_EVENTS, DAY = 25_000, 86_400

_ROLES_SERVICE = {
    "AWS::Lambda::Function": ("Role", "lambda.amazonaws.com"),
    "AWS::StepFunctions::StateMachine": ("RoleArn", "states.amazonaws.com"),
    "AWS::Backup::BackupSelection": ("BackupSelection.IamRoleArn", "backup.amazonaws.com"),
    "AWS::Scheduler::Schedule": ("Target.RoleArn", "scheduler.amazonaws.com"),
    "AWS::ApiGateway::Account": ("CloudWatchRoleArn", "apigateway.amazonaws.com"),
    "AWS::GuardDuty::MalwareProtectionPlan": ("Role", "malware-protection-plan.guardduty.amazonaws.com"),
}
# What services publish, with which dimensions, and what of a resource each of these is: the pages "… metrics" of the
# Lambda, Step Functions, Amazon SQS, API Gateway and DynamoDB developer guides.
METRICS = {
    "AWS/Lambda": ({"Duration", "Errors", "IteratorAge", "RecursiveInvocationsDropped", "Throttles"}, {"FunctionName"}),
    "AWS/States": (
        {f"Executions{how}" for how in ("Started", "Succeeded", "Failed", "TimedOut", "Aborted")},
        {"StateMachineArn"},
    ),
    "AWS/SQS": (
        {"ApproximateAgeOfOldestMessage", "ApproximateNumberOfMessagesVisible", "NumberOfMessagesReceived"},
        {"QueueName"},
    ),
    "AWS/ApiGateway": ({"Count", "4XXError", "5XXError"}, {"ApiName", "Stage"}),
    "AWS/DynamoDB": ({"WriteThrottleEvents"}, {"TableName"}),
}
VALUES = {
    "FunctionName": ("AWS::Lambda::Function", "Ref"),
    "StateMachineArn": ("AWS::StepFunctions::StateMachine", "Ref"),
    "QueueName": ("AWS::SQS::Queue", "QueueName"),
    "TableName": ("AWS::DynamoDB::Table", "Ref"),
}

_MADE: Tree = transformed_template()["Resources"]
ALARMS = made_names("AWS::CloudWatch::Alarm")
BUCKETS = made_names("AWS::S3::Bucket")
FUNCTIONS = made_names("AWS::Lambda::Function")
MACHINES = machines()
ROLES = made_names("AWS::IAM::Role")
WITH_ROLES = [name for name, one in _MADE.items() if one["Type"] in _ROLES_SERVICE]

every_alarm = every("alarm", ALARMS)
every_function = every("function", FUNCTIONS)
every_machine = every("machine", MACHINES)


@pytest.fixture(scope="module")
def filled(stack: Stack) -> Deployment:
    """A deployment whose parameters are all as long as they may be."""
    return largest(stack.template)


def compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


@every_function
def test_what_may_invoke_a_function_fits_its_policy(filled: Deployment, function: str) -> None:
    """Each route of the API is a statement of its own, as Lambda writes it down."""
    if function not in filled.resources:
        return
    arn = f"arn:aws-us-gov:lambda:{REGION}:{ACCOUNT}:function:{'f' * 64}"
    written = []
    for name, one in filled.of_type("AWS::Lambda::Permission").items():
        if one["FunctionName"] == function:
            named = {"Sid": f"{STACK}-{name}-{'R' * 12}", "Effect": "Allow", "Principal": {"Service": one["Principal"]}}
            where = {"StringEquals": {"AWS:SourceAccount": ACCOUNT}} if "SourceAccount" in one else {}
            source = {"AWS:SourceArn": one["SourceArn"] + "x" * 10} if "SourceArn" in one else {}  # the API's id
            written.append(
                {**named, "Action": one["Action"], "Resource": arn, "Condition": {**where, "ArnLike": source}}
            )
    policy = {"Version": "2012-10-17", "Id": "default", "Statement": written}
    assert len(compact(policy).encode()) <= FUNCTION_POLICY


@every("permission", made_names("AWS::Lambda::Permission"))
def test_a_service_invokes_a_function_for_this_stack_or_account_alone(stack: Stack, permission: str) -> None:
    """Without a source, anybody's bucket or API would do (Lambda developer guide, "confused deputy")."""
    one = stack[permission]
    assert one["Principal"].endswith(".amazonaws.com")
    own = {*stack.resources, "AWS::AccountId"}
    assert "SourceAccount" in one or own & set(references(one["SourceArn"]))


@every_function
def test_a_function_has_memory_that_a_new_account_gives(stack: Stack, function: str) -> None:
    assert stack[function]["MemorySize"] <= MEMORY_IN_A_NEW_ACCOUNT


@every("role", ROLES)
def test_a_role_fits(filled: Deployment, role: str) -> None:
    one = filled.resources.get(role, {"Properties": {}})["Properties"]
    assert len(one.get("ManagedPolicyArns", [])) <= POLICIES_OF_A_ROLE
    assert len(compact(one.get("AssumeRolePolicyDocument", {}))) <= TRUST_POLICY


@every("name", WITH_ROLES)
def test_a_role_lets_in_the_service_that_takes_it_on(stack: Stack, name: str) -> None:
    """The embedded AWS takes any role for anything; AWS answers "cannot be assumed by"."""
    path, service = _ROLES_SERVICE[stack.resources[name]["Type"]]
    found: Any = stack[name]
    for key in path.split("."):
        found = found[key]
    (statement,) = stack[target(found)]["AssumeRolePolicyDocument"]["Statement"]
    assert readable_list(statement["Principal"]["Service"]) == [service]


def test_the_policies_of_resources_fit(filled: Deployment) -> None:
    sizes = {
        name: (len(compact(policy["PolicyDocument"]).encode()), most)
        for kind, most in DOCUMENTS.items()
        for name, policy in filled.of_type(kind).items()
    }
    sizes |= {
        name: (len(compact(key["KeyPolicy"]).encode()), KEY_POLICY)
        for name, key in filled.of_type("AWS::KMS::Key").items()
    }
    assert sizes
    assert {name: found for name, found in sizes.items() if found[0] > found[1]} == {}


def test_the_policy_of_a_resource_names_its_own_service(stack: Stack) -> None:
    """ "Policy has invalid action": each of these services refuses the others' (SQS, SNS, S3 and KMS, the same)."""
    kinds = {"AWS::S3::BucketPolicy": "s3", "AWS::SQS::QueuePolicy": "sqs", "AWS::SNS::TopicPolicy": "sns"}
    found = {
        f"{name} {action}"
        for kind, service in kinds.items()
        for name, policy in stack.of_type(kind).items()
        for statement, _ in statements(policy["PolicyDocument"])
        for action in readable_list(statement["Action"])
        if action.partition(":")[0] != service
    }
    assert found == set()


def test_the_api_has_room_for_more_routes(stack: Stack) -> None:
    """Every part of a path is a resource."""
    (api,) = stack.of_type("AWS::ApiGateway::RestApi").values()
    parts = [path.strip("/").split("/") for path in api["Body"]["paths"]]
    resources = {tuple(path[: depth + 1]) for path in parts for depth in range(len(path))}
    assert 0 < len(resources) <= API_RESOURCES * 0.9


def test_a_template_with_everything_can_be_deployed(stack: Stack) -> None:
    assert len(json.dumps(stack.template).encode()) <= TEMPLATE_BYTES


@every("rule", made_names("AWS::Events::Rule"))
def test_a_rule_fits(filled: Deployment, rule: str) -> None:
    one = filled.resources.get(rule)
    if one:  # not every parameter's most makes every rule
        assert len(compact(one["Properties"]["EventPattern"])) <= EVENT_PATTERN
        assert len(one["Properties"]["Targets"]) <= TARGETS


@every_alarm
def test_an_alarm_watches_a_metric_that_is_published(stack: Stack, alarm: str) -> None:
    """A metric is its namespace, name and dimensions: with another dimension there is never a datum, nor an alarm."""
    one = stack[alarm]
    named = {dimension["Name"]: dimension["Value"] for dimension in one["Dimensions"]}
    if readable(one["Namespace"]) == "Waybill/<stack>":
        assert set(named) == {"service"}
        return
    metrics, dimensions = METRICS[one["Namespace"]]
    assert one["MetricName"] in metrics
    assert set(named) == dimensions
    for dimension in dimensions & set(VALUES):
        holds(stack, dimension, named[dimension])
    assert "Unit" not in one  # with another unit than the service's there is no datum either


@every_alarm
def test_an_alarm_looks_back_no_further_than_cloudwatch_does(stack: Stack, alarm: str) -> None:
    """CloudWatch API reference, PutMetricAlarm: `Period`, `EvaluationPeriods`."""
    one = stack[alarm]
    assert one["Period"] in {10, 20, 30} or one["Period"] % 60 == 0
    assert one["Period"] * one["EvaluationPeriods"] <= (7 * DAY if one["Period"] >= 3600 else DAY)
    assert one.get("DatapointsToAlarm", 1) <= one["EvaluationPeriods"]


@every("dashboard", made_names("AWS::CloudWatch::Dashboard"))
def test_a_dashboard_shows_metrics_that_are_published(stack: Stack, dashboard: str) -> None:
    text, variables = stack[dashboard]["DashboardBody"]["Fn::Sub"]
    for widget in json.loads(text)["widgets"]:
        above: list[Any] = []
        for row in widget["properties"]["metrics"]:
            texts = [part for part in row if isinstance(part, str)]
            if texts[0] == "...":
                texts = above[: len(above) - len(texts) + 1] + texts[1:]
            above = [above[place] if part == "." else part for place, part in enumerate(texts)]
            namespace, metric, dimension, value = above
            if namespace in METRICS:
                metrics, dimensions = METRICS[namespace]
                assert metric in metrics
                assert dimension in dimensions
                if dimension in VALUES:
                    holds(stack, dimension, variables[value.strip("${}")])
            else:
                assert (namespace, dimension) == ("Waybill/${AWS::StackName}", "service")


def holds(stack: Stack, dimension: str, value: Tree) -> None:
    """See that a value of a template is what the dimension wants: a queue's `Ref` is its address, not its name."""
    kind, attribute = VALUES[dimension]
    assert stack.resources[target(value)]["Type"] == kind
    got = value.get("Fn::GetAtt", "")
    assert (got if isinstance(got, str) else ".".join(got)).partition(".")[2] == attribute or (
        attribute == "Ref" and "Ref" in value
    ), value


@every("bucket", BUCKETS)
def test_rules_of_a_bucket_are_such_as_s3_takes(stack: Stack, bucket: str) -> None:
    """S3 API reference, LifecycleExpiration: a marker goes by days or by itself, and nothing by tags and uploads."""
    rules = stack[bucket]["LifecycleConfiguration"]["Rules"]
    assert len(rules) == len({rule["Id"] for rule in rules}) <= 1000
    for rule in rules:
        expires = {"ExpirationInDays", "ExpirationDate"} & set(rule)
        assert not (expires and "ExpiredObjectDeleteMarker" in rule), rule["Id"]
        assert not (
            "TagFilters" in rule and {"AbortIncompleteMultipartUpload", "ExpiredObjectDeleteMarker"} & set(rule)
        )
        kinds = {"AbortIncompleteMultipartUpload", "ExpiredObjectDeleteMarker", "NoncurrentVersionExpiration"}
        assert expires or kinds & set(rule) or {"Transitions", "NoncurrentVersionTransitions"} & set(rule), rule["Id"]


@every("bucket", BUCKETS)
def test_a_bucket_that_invokes_a_function_may_do_so_before_it_is_made(stack: Stack, bucket: str) -> None:
    """ "Unable to validate the following destination configurations" (CloudFormation, AWS::S3::Bucket)."""
    one = stack.resources[bucket]
    notified = one["Properties"].get("NotificationConfiguration", {}).get("LambdaConfigurations", [])
    before = one.get("DependsOn", [])
    before = [before] if isinstance(before, str) else before
    permitted = {
        target(stack[name]["FunctionName"]) for name in before if stack.resources[name]["Type"].endswith("Permission")
    }
    assert {target(each["Function"]) for each in notified} <= permitted


@every("bucket", BUCKETS)
def test_no_two_notifications_of_a_bucket_are_for_the_same_event(stack: Stack, bucket: str) -> None:
    """S3 user guide, "Configuring event notifications": overlapping rules of one event type are refused."""
    notified = stack[bucket].get("NotificationConfiguration", {}).get("LambdaConfigurations", [])
    events = [one["Event"] for one in notified if "Filter" not in one]
    assert len(events) == len(set(events))
    whole = {event.removesuffix("*") for event in events if event.endswith("*")}
    assert [event for event in events if any(event.startswith(one) and event != f"{one}*" for one in whole)] == []


@every("mapping", made_names("AWS::Lambda::EventSourceMapping"))
def test_a_source_has_a_batch_that_lambda_takes(stack: Stack, mapping: str) -> None:
    """Lambda API reference, CreateEventSourceMapping: above ten messages of a queue, a window of a second at least."""
    one = stack[mapping]
    queue = stack.resources[target(one["EventSourceArn"])]["Type"] == "AWS::SQS::Queue"
    if queue and one["BatchSize"] > 10:
        assert one["MaximumBatchingWindowInSeconds"] >= 1
    assert one["BatchSize"] <= 10_000
    filters = one.get("FilterCriteria", {}).get("Filters", [])
    assert len(filters) <= 5
    assert all(len(each["Pattern"]) <= 4096 for each in filters)


def test_who_reads_a_table_s_changes_writes_nothing_to_it(stack: Stack) -> None:
    """Lambda does not see such a loop, and ends it never (developer guide, "Use Lambda recursive loop detection")."""
    read = [
        (target(one["FunctionName"]), target(one["EventSourceArn"]))
        for one in stack.of_type("AWS::Lambda::EventSourceMapping").values()
        if "StartingPosition" in one
    ]
    assert read
    loops = {
        (function, table, grant.action)
        for function, table in read
        for grant in stack.grants(target(stack[function]["Role"]))
        if grant.resource.partition("/")[0] == table
        and re.match(r"dynamodb:(Put|Update|Delete|BatchWrite)", grant.action)
    }
    assert loops == set()


@every_machine
def test_the_logs_of_a_machine_are_where_logs_delivery_needs_no_statement_each(stack: Stack, machine: Any) -> None:
    """The policy of CloudWatch Logs has 5,120 characters for all log groups that services write to, and those under
    `/aws/vendedlogs/` need none (Step Functions developer guide, "CloudWatch Logs resource policy size limits").
    """
    for resource in machine.resources.values():
        (destination,) = resource["Logging"]["Destinations"]
        group = target(destination["CloudWatchLogsLogGroup"]["LogGroupArn"])
        assert readable(stack[group]["LogGroupName"]).startswith("/aws/vendedlogs/")


@every_machine
def test_an_express_execution_waits_for_nobody_and_starts_no_map_run(machine: Any) -> None:
    """Step Functions developer guide, "Choosing workflow type": neither `.sync`, nor `.waitForTaskToken`, nor both."""
    express = [scope for scope in machine.scopes if express_scope(machine, scope.holder)]
    for scope in express:
        for name, state in scope.states.items():
            assert not re.search(r"\.(sync(:2)?|waitForTaskToken)$", state.body.get("Resource", "")), name
            assert ":activity:" not in state.body.get("Resource", ""), name
            assert state.body.get("ItemProcessor", {}).get("ProcessorConfig", {}).get("Mode") != "DISTRIBUTED", name


def express_scope(machine: Any, holder: tuple[str, ...]) -> bool:
    """Whether the states of a scope run in an Express execution."""
    if any(resource["Type"] == "EXPRESS" for resource in machine.resources.values()):
        return True
    states = {state.name: state for state in machine.states}
    configured = (states[name].body["ItemProcessor"].get("ProcessorConfig", {}) for name in holder)
    return any(one.get("ExecutionType") == "EXPRESS" for one in configured)


@every_machine
def test_a_definition_fits(machine: Any) -> None:
    assert len(machine.file.read_bytes()) <= DEFINITION * 0.9  # ARNs are put in
    labels = [state.body["Label"] for state in machine.states if "Label" in state.body]
    assert len(labels) == len(set(labels))
    assert all(len(label) <= LABEL and re.fullmatch(r"[A-Za-z0-9_-]+", label) for label in labels)
    assert all(len(state.name) <= STATE_NAME for state in machine.states)


@every_machine
def test_a_machine_waits_less_than_a_year_and_a_state_less_than_its_machine(machine: Any) -> None:
    """Step Functions developer guide, "Service quotas": a year for Standard executions, tries and waits included."""
    assert machine.definition["TimeoutSeconds"] < 365 * DAY
    for state in machine.states:
        if state.kind == "Wait" and isinstance(state.body.get("Seconds"), int):
            assert state.body["Seconds"] < machine.definition["TimeoutSeconds"], state.name


def test_a_job_that_waits_for_its_runs_keeps_within_its_history() -> None:
    """Step Functions developer guide, "Service quotas": 25,000 events.

    A round takes nine (two of the wait, five of the task, two of the choice), and a call of the task two minutes.
    """
    (machine,) = (one for one in MACHINES if one.label == "replication_jobs")
    (wait,) = (state for state in machine.states if state.name == "WaitForRuns")
    age, events, now = 0.0, 0, datetime.now(UTC)
    while age < machine.definition["TimeoutSeconds"]:
        started = (now - timedelta(seconds=age)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        context = {"context": {"Execution": {"StartTime": started}}}
        seconds = Jsonata(wait.body["Seconds"][len(OPEN) : -len(CLOSE)]).evaluate(None, {"states": context})
        assert 60 <= seconds <= max(60, age / 20 + 60)  # nobody waits much longer than the runs have taken
        age, events = age + 120 + seconds, events + 9
    assert events <= HISTORY_EVENTS * 0.9  # what is compared before takes some as well


def test_names_by_which_cloudformation_makes_physical_ones_differ(stack: Stack) -> None:
    """Names of functions and roles end in a part of the logical one: Lambda has 64 characters for them all."""
    assert all(re.fullmatch(r"[A-Za-z0-9]{1,255}", name) for name in stack.resources)
    assert not [name for name, times in Counter(map(str.lower, stack.resources)).items() if times > 1]


def test_a_message_of_a_rule_is_made_as_eventbridge_takes_it(stack: Stack) -> None:
    """EventBridge API reference, InputTransformer: 100 paths, templates of 8,192 characters, names of both the same."""
    transformed = list(transformers(stack))
    assert transformed
    for one in transformed:
        used = set(re.findall(r"<([A-Za-z0-9_.-]+)>", readable(one["InputTemplate"])))
        own = {name for name in used if not name.startswith("aws.events.")}
        assert own == set(one.get("InputPathsMap", {}))
        assert len(one.get("InputPathsMap", {})) <= 100
        assert len(readable(one["InputTemplate"])) <= 8192


def transformers(stack: Stack) -> Iterator[Tree]:
    for rule in stack.of_type("AWS::Events::Rule").values():
        yield from (one["InputTransformer"] for one in rule["Targets"] if "InputTransformer" in one)


def test_no_policy_guesses_a_name_that_cloudformation_makes_up(stack: Stack) -> None:
    """What it makes up begins with as much of the stack's name as there is room for: of rules, functions and roles
    with 64 characters hardly more than twenty (CloudFormation user guide, "Name type"). Names that are given are whole.
    """
    given = {readable(one["StateMachineName"]) for one in stack.of_type("AWS::StepFunctions::StateMachine").values()}
    given |= {"<stack>/sar"}  # secrets of people's own making: UPSTREAM_SECRET_PREFIX
    guessed = {
        text
        for document in stack.policies.values()
        for text in texts(document)
        if "<stack>" in text and not given & {part.partition("/*")[0] for part in re.split(r":", text)}
    }
    assert guessed == set()


def texts(value: Any) -> Iterator[str]:
    """Every text in it; what functions make is one."""
    if isinstance(value, dict) and len(value) == 1 and next(iter(value)) in {"Ref", "Fn::GetAtt", "Fn::Sub"}:
        yield readable(value)
    elif isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for one in value.values() if isinstance(value, dict) else value:
            yield from texts(one)


@every("table", made_names("AWS::DynamoDB::Table"))
def test_attributes_that_a_table_goes_by_are_such_as_the_code_writes(stack: Stack, project: Path, table: str) -> None:
    """An item without the attribute is in no index, and lives for ever (DynamoDB developer guide, "Time to Live").

    Keys, what indexes hold besides, and the time by which items go: each by its name in the package of a function that
    writes to the table.
    """
    one = stack[table]
    named = {attribute["AttributeName"] for attribute in one["AttributeDefinitions"]}
    named |= {one["TimeToLiveSpecification"]["AttributeName"]} if "TimeToLiveSpecification" in one else set()
    for index in one.get("GlobalSecondaryIndexes", []):
        named |= set(index["Projection"].get("NonKeyAttributes", []))
    writers = {
        function["Handler"].split(".")[1]
        for function in stack.of_type("AWS::Lambda::Function").values()
        if any(
            grant.resource == table and re.match(r"dynamodb:(Put|Update)Item", grant.action)
            for grant in stack.grants(target(function["Role"]))
        )
    }
    assert writers
    code = "".join(
        file.read_text("utf-8") for package in writers for file in (project / "src/waybill" / package).rglob("*.py")
    )
    written = {name for name in named if re.search(rf"[\"' ]{name}[\"' ]|\b{name}\s*[=:,)]", code)}
    assert named - written == set()
