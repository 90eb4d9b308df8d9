"""How events come in, and that none is lost on the way."""

import json
import re
from collections import defaultdict
from typing import Any

from scripts.deployment import Deployment
from scripts.template import readable, readable_list, statements, transformed_template
from tests.template.support.rules import every
from tests.template.support.stack import Stack, made_names, target

SOURCE = "AWS::Lambda::EventSourceMapping"
_MADE = transformed_template()["Resources"]
STREAMS = [name for name in made_names(SOURCE) if "StartingPosition" in _MADE[name]["Properties"]]
MAPPINGS = [name for name in made_names(SOURCE) if name not in STREAMS]
RULES = made_names("AWS::Events::Rule")
SCHEDULES = made_names("AWS::Scheduler::Schedule")
# Lambda developer guide, "Using Lambda with Amazon SQS": six times the function's timeout, five receives at least.
VISIBILITY_FACTOR = 6
LEAST_RECEIVES = 5
LEAST_CONCURRENCY = 2
SMALL_ACCOUNT, ROOM_FOR_THE_API = 50, 10
# How many at once of other things than functions that a machine runs: of queues, what is kept, threads of one function.
OF_NO_MACHINE = {"WorkerConcurrency", "ApiReservedConcurrency", "PartConcurrency"}
# What a function does that may start another one.
STARTING = ("sqs:SendMessage", "sns:Publish", "s3:PutObject", "lambda:Invoke")
SOURCE_ARNS = ("arn:aws:s3:::<SourceBucket>", "arn:*:s3:::<SourceBucket>", "SourceBucket")
RESOURCE_IN = re.compile(r"^(?:arn:(?:\*|aws):s3:::)?<?(\w+)>?(?:/.*)?$")


@every("mapping", MAPPINGS)
def test_a_bad_message_does_not_bring_its_batch_back(stack: Stack, mapping: str) -> None:
    assert stack[mapping]["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


@every("mapping", MAPPINGS)
def test_a_queue_takes_the_least_or_what_a_parameter_gives_it(stack: Stack, mapping: str) -> None:
    """Lambda takes 2 to 1,000 (developer guide, "Configuring scaling behavior for SQS event source mappings")."""
    most = stack[mapping]["ScalingConfig"]["MaximumConcurrency"]
    if most != LEAST_CONCURRENCY:
        parameter = stack.template["Parameters"][most["Ref"]]
        assert (parameter["Type"], parameter["MinValue"], parameter["MaxValue"]) == ("Number", LEAST_CONCURRENCY, 1000)


def test_what_works_by_itself_leaves_room_in_a_small_account(stack: Stack) -> None:
    """ "New AWS accounts have reduced concurrency and memory quotas" (developer guide, "Lambda quotas"): 50 is met."""
    defaults = {name: one["Default"] for name, one in stack.template["Parameters"].items()}
    sources = [stack[mapping]["ScalingConfig"]["MaximumConcurrency"] for mapping in MAPPINGS]
    queues = sum(defaults[most["Ref"]] if isinstance(most, dict) else most for most in sources)
    at_once = {name for name in defaults if re.search(r"(Concurrency|FanOut)$", name)} - OF_NO_MACHINE
    machines = sum(defaults[name] for name in at_once)
    assert {"ScanFanOut", "MintingConcurrency", "ConsignmentConcurrency"} <= at_once
    assert queues + machines <= SMALL_ACCOUNT - ROOM_FOR_THE_API


def test_what_answers_the_api_can_have_executions_kept(stack: Stack) -> None:
    """Never by default: Lambda refuses to leave less than 100 (developer guide, "Configuring reserved concurrency")."""
    answering = {
        name
        for name in stack.of_type("AWS::Lambda::Function")
        if name == "AuthoriseFunction" or any(event.kind == "Api" for event in stack.events(name))
    }
    kept = {"Fn::If": ["ReservedForTheApi", {"Ref": "ApiReservedConcurrency"}, {"Ref": "AWS::NoValue"}]}
    found = {
        name: one["ReservedConcurrentExecutions"]
        for name, one in stack.of_type("AWS::Lambda::Function").items()
        if "ReservedConcurrentExecutions" in one
    }
    assert found == dict.fromkeys(answering, kept)
    assert stack.template["Parameters"]["ApiReservedConcurrency"]["Default"] == 0


@every("mapping", MAPPINGS)
def test_a_message_is_hidden_while_its_function_may_run(stack: Stack, mapping: str) -> None:
    function, queue = target(stack[mapping]["FunctionName"]), target(stack[mapping]["EventSourceArn"])
    assert stack[queue]["VisibilityTimeout"] >= VISIBILITY_FACTOR * stack[function]["Timeout"]


@every("mapping", MAPPINGS)
def test_a_message_that_fails_again_and_again_waits_for_a_person(stack: Stack, mapping: str) -> None:
    redrive = stack[target(stack[mapping]["EventSourceArn"])]["RedrivePolicy"]
    dead_letters = target(redrive["deadLetterTargetArn"])
    assert redrive["maxReceiveCount"] >= LEAST_RECEIVES
    assert stack.resources[dead_letters]["Type"] == "AWS::SQS::Queue"
    while dead_letters in event_sources(stack):
        # A function cleans up after them; what it cannot handle either goes on.
        dead_letters = target(stack[dead_letters]["RedrivePolicy"]["deadLetterTargetArn"])
    assert "RedrivePolicy" not in stack[dead_letters]


@every("mapping", STREAMS)
def test_a_stream_is_read_from_its_beginning_and_what_it_gives_up_on_is_told(stack: Stack, mapping: str) -> None:
    """Records live for 24 hours (Amazon DynamoDB developer guide, "Change data capture for DynamoDB Streams")."""
    source = stack[mapping]
    assert source["StartingPosition"] == "TRIM_HORIZON"
    assert source["BisectBatchOnFunctionError"] is True
    assert "MaximumRetryAttempts" not in source
    assert source["MaximumRecordAgeInSeconds"] < 24 * 3600
    assert stack.resources[target(source["DestinationConfig"]["OnFailure"]["Destination"])]["Type"] == "AWS::SQS::Queue"
    (table,) = {target(source["EventSourceArn"])}
    assert stack[table]["StreamSpecification"] == {"StreamViewType": "NEW_AND_OLD_IMAGES"}
    for each in source["FilterCriteria"]["Filters"]:
        assert "REMOVE" not in json.loads(each["Pattern"])["eventName"]


def test_no_queue_is_its_own_dead_letter_queue(stack: Stack) -> None:
    for name, queue in stack.of_type("AWS::SQS::Queue").items():
        if "RedrivePolicy" in queue:
            assert target(queue["RedrivePolicy"]["deadLetterTargetArn"]) != name


def test_one_rule_catches_every_execution_that_ends_badly(stack: Stack) -> None:
    (rule,) = (
        rule for rule in stack.of_type("AWS::Events::Rule").values() if "aws.states" in rule["EventPattern"]["source"]
    )
    pattern = rule["EventPattern"]
    assert pattern["detail-type"] == ["Step Functions Execution Status Change"]
    assert set(pattern["detail"]["status"]) == {"FAILED", "TIMED_OUT", "ABORTED"}
    machines = stack.of_type("AWS::StepFunctions::StateMachine")
    # Express executions send no events (Step Functions developer guide); their alarms are in test_operations.
    standard = {name for name, machine in machines.items() if machine["StateMachineType"] == "STANDARD"}
    assert {readable(arn) for arn in pattern["detail"]["stateMachineArn"]} == standard
    assert "Condition" not in rule


@every("rule", RULES)
def test_what_a_rule_cannot_deliver_is_kept(stack: Stack, rule: str) -> None:
    for one in stack[rule]["Targets"]:
        queue = target(one["DeadLetterConfig"]["Arn"])
        # By its own name: in the 64 characters of that, CloudFormation shortens the stack's.
        assert f"{rule}.Arn" in rules_that_may_send(stack, queue)
        assert "events.amazonaws.com" in unconditional_users(stack, target(stack[queue]["KmsMasterKeyId"]))


@every("rule", RULES)
def test_a_rule_may_send_to_its_queue(stack: Stack, rule: str) -> None:
    for one in stack[rule]["Targets"]:
        queue = target(one["Arn"])
        if stack.resources[queue]["Type"] == "AWS::SQS::Queue":
            assert f"{rule}.Arn" in rules_that_may_send(stack, queue)


@every("rule", RULES)
def test_a_rule_may_tell_its_topic(stack: Stack, rule: str) -> None:
    """EventBridge takes no condition in a topic's policy, nor in its key's (user guide, "Amazon SNS permissions")."""
    for one in stack[rule]["Targets"]:
        topic = target(one["Arn"])
        if stack.resources[topic]["Type"] == "AWS::SNS::Topic":
            allowed = [
                statement
                for policy in stack.of_type("AWS::SNS::TopicPolicy").values()
                if {"Ref": topic} in policy["Topics"]
                for statement, only_with in statements(policy["PolicyDocument"])
                if statement["Effect"] == "Allow" and "events.amazonaws.com" in services(statement) and not only_with
            ]
            assert any("Condition" not in statement for statement in allowed), topic
            assert "events.amazonaws.com" in unconditional_users(stack, target(stack[topic]["KmsMasterKeyId"]))


def test_a_function_feeds_itself_only_where_that_is_meant(stack: Stack) -> None:
    """Lambda ends a chain that comes back after 16 rounds or so (developer guide, "Recursive loop detection")."""
    feeds = next_functions(stack)
    looping = {function for function in feeds if function in reached(feeds, function)}
    allowed = {
        name for name, one in stack.of_type("AWS::Lambda::Function").items() if one.get("RecursiveLoop") == "Allow"
    }
    assert looping == allowed


def test_schedules_may_invoke_what_they_name_and_keep_what_they_cannot_deliver(stack: Stack) -> None:
    needed: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for schedule in SCHEDULES:
        properties = stack[schedule]["Target"]
        invoked = target(properties["Arn"])
        starts = stack.resources[invoked]["Type"] == "AWS::StepFunctions::StateMachine"
        needed[target(properties["RoleArn"])] |= {
            ("states:StartExecution" if starts else "lambda:InvokeFunction", invoked),
            ("sqs:SendMessage", target(properties["DeadLetterConfig"]["Arn"])),
        }
    assert needed
    for role, may in needed.items():
        assert {(grant.action, grant.resource) for grant in stack.grants(role)} == may


@every("schedule", SCHEDULES)
def test_stacks_beside_each_other_have_schedules_of_their_own(stack: Stack, schedule: str) -> None:
    assert "Name" not in stack[schedule]


def test_uploads_reach_the_function_that_the_bucket_notifies(stack: Stack) -> None:
    notifications = stack["SourceBucket"]["NotificationConfiguration"]["LambdaConfigurations"]
    # Tags are replicated as objects are.
    assert [one["Event"] for one in notifications] == [
        "s3:ObjectCreated:*",
        "s3:ObjectTagging:*",
        "s3:ObjectRemoved:DeleteMarkerCreated",
    ]
    (permission,) = (
        permission
        for permission in stack.of_type("AWS::Lambda::Permission").values()
        if permission["Principal"] == "s3.amazonaws.com"
    )
    assert {target(one["Function"]) for one in notifications} == {target(permission["FunctionName"])}
    assert permission["SourceAccount"] == {"Ref": "AWS::AccountId"}


def test_destination_buckets_start_nothing(stack: Stack) -> None:
    assert list(notified(stack)) == ["SourceBucket"]
    # With buckets that custody watches, EventBridge is told besides, which passes on those that are named alone.
    watched = notified(stack, CustodyWatchBuckets="watched")
    assert {name for name, told in watched.items() if set(told) != {"EventBridgeConfiguration"}} == {"SourceBucket"}


def notified(stack: Stack, **parameters: str) -> dict[str, dict[str, Any]]:
    """What the buckets tell to whom, by their names; of those that tell anything."""
    buckets = Deployment(stack.template, **parameters).of_type("AWS::S3::Bucket")
    found = {name: bucket.get("NotificationConfiguration", {}) for name, bucket in buckets.items()}
    return {name: told for name, told in found.items() if told}


def next_functions(stack: Stack) -> dict[str, set[str]]:
    """Whom each function may start: by a queue, a topic, a bucket or itself; failure destinations are no loop."""
    consumers: dict[str, set[str]] = {}
    for mapping in stack.of_type("AWS::Lambda::EventSourceMapping").values():
        consumers.setdefault(target(mapping["EventSourceArn"]), set()).add(target(mapping["FunctionName"]))
    for subscription in stack.of_type("AWS::SNS::Subscription").values():
        if subscription["Protocol"] in {"lambda", "sqs"}:
            receiver = target(subscription["Endpoint"])
            told = consumers.get(receiver, {receiver})
            consumers.setdefault(target(subscription["TopicArn"]), set()).update(told)
    for name, bucket in stack.of_type("AWS::S3::Bucket").items():
        told = bucket.get("NotificationConfiguration", {})
        for notification in told.get("LambdaConfigurations", []):
            consumers.setdefault(name, set()).add(target(notification["Function"]))
        for kind in ("Queue", "Topic"):
            for notification in told.get(f"{kind}Configurations", []):
                consumers.setdefault(name, set()).update(consumers.get(target(notification[kind]), set()))
    for name in stack.of_type("AWS::Lambda::Function"):
        consumers.setdefault(name, set()).add(name)
    # An upload to the source is a way too, however its ARN is written.
    assert {RESOURCE_IN.sub(r"\1", f"{arn}/*") for arn in SOURCE_ARNS} == {"SourceBucket"} <= set(consumers)
    found = {}
    for name, function in stack.of_type("AWS::Lambda::Function").items():
        sent = [
            grant.resource
            for grant in stack.grants(target(function["Role"]))
            if grant.action.startswith(STARTING) and not grant.of_lost_events
        ]
        found[name] = {
            consumer for resource in sent for consumer in consumers.get(RESOURCE_IN.sub(r"\1", resource), set())
        }
    return found


def reached(feeds: dict[str, set[str]], start: str) -> set[str]:
    found: set[str] = set()
    waiting = [start]
    while waiting:
        for name in feeds.get(waiting.pop(), set()) - found:
            found.add(name)
            waiting.append(name)
    return found


def event_sources(stack: Stack) -> set[str]:
    return {target(mapping["EventSourceArn"]) for mapping in stack.of_type("AWS::Lambda::EventSourceMapping").values()}


def rules_that_may_send(stack: Stack, queue: str) -> set[str]:
    """The rules by whose names the queue takes messages of EventBridge, where parameters make all of them."""
    policies = Deployment(stack.template, BackupDays="30").of_type("AWS::SQS::QueuePolicy").values()
    return {
        arn
        for policy in policies
        if queue in policy["Queues"]
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Allow" and statement["Action"] == "sqs:SendMessage"
        if f"{queue}.Arn" in readable_list(statement["Resource"]) and services(statement) == ["events.amazonaws.com"]
        for arn in statement["Condition"]["ArnLike"]["aws:SourceArn"]
    }


def unconditional_users(stack: Stack, key: str) -> set[str]:
    """Which services may encrypt with the key without a condition, which EventBridge could not fulfil."""
    return {
        service
        for statement, _ in statements(stack[key]["KeyPolicy"])
        if "Condition" not in statement and {"kms:Decrypt", "kms:GenerateDataKey*"} <= set(statement["Action"])
        for service in services(statement)
    }


def services(statement: dict[str, Any]) -> list[str]:
    principal = statement["Principal"]
    return readable_list(principal["Service"]) if "Service" in principal else []
