"""The listing workflow: its states, what they retry, and the functions that the template gives it."""

import json
import re
from importlib import import_module
from typing import Any
from unittest.mock import Mock

from scripts.template import PROJECT, load_template
from tests.template.support.rules import every
from tests.template.support.stack import Stack
from waybill.core.errors import NotificationUnavailableError, RateLimitedError
from waybill.scanning import errors
from waybill.scanning.adapters.queues import WebhookQueue
from waybill.scanning.domain.webhooks import WAITS_SECONDS

RESOURCES: dict[str, dict[str, Any]] = load_template()["Resources"]
MACHINE = json.loads((PROJECT / "statemachine" / "scanning.asl.json").read_text("utf-8"))
STATES: dict[str, dict[str, Any]] = MACHINE["States"]
TASKS = {name: state for name, state in STATES.items() if state["Type"] == "Task"}
FUNCTIONS = {
    name: resource["Properties"]
    for name, resource in RESOURCES.items()
    if resource["Type"] == "AWS::Serverless::Function" and ".scanning." in resource["Properties"]["Handler"]
}


def test_the_states_are_those_of_the_contract() -> None:
    assert {"ProcessBatch", "CheckIfDone", "JobComplete", "HandleError", "JobFailed"} <= set(STATES)
    assert {"SplitRange", "HandOver"} <= set(STATES)
    assert STATES["JobFailed"]["Type"] == "Fail"
    assert all(state.get("Comment") for state in STATES.values())


@every("name", TASKS)
def test_every_task_has_a_time_limit_retries_and_a_catch(name: str) -> None:
    task = TASKS[name]
    assert task["TimeoutSeconds"] > 0
    assert all(retry["JitterStrategy"] == "FULL" for retry in task["Retry"])
    assert all("States.ALL" not in retry["ErrorEquals"] for retry in task["Retry"])
    assert task["Catch"][-1]["ErrorEquals"] == ["States.ALL"]


def test_the_retried_errors_are_ours_and_may_be_retried() -> None:
    named = {
        error
        for task in TASKS.values()
        for retry in task["Retry"]
        for error in retry["ErrorEquals"]
        if error.endswith("Error") and "." not in error
    }
    ours = {error.__name__: error for error in (NotificationUnavailableError, RateLimitedError)} | vars(errors)
    assert named
    assert all(issubclass(ours[error], errors.RetryableError) for error in named)


def test_a_full_execution_stays_below_the_limit_of_the_history() -> None:
    limit = load_template()["Parameters"]["ScanLoopLimit"]
    # Seven events for a loop, and three for each repeated attempt.
    assert limit["Default"] * 7 <= 8000
    assert limit["MaxValue"] * 7 < 25_000


def test_a_repeated_hand_over_that_finds_the_successor_ended_is_no_failure() -> None:
    # While it runs, Step Functions answers the same start with it; afterwards with this error (API, StartExecution).
    already = STATES["HandOver"]["Catch"][0]
    assert already["ErrorEquals"] == ["StepFunctions.ExecutionAlreadyExistsException"]
    assert already["Next"] == STATES["HandOver"]["Next"]
    assert STATES[already["Next"]]["Type"] == "Succeed"


def test_every_substitution_is_given() -> None:
    wanted = set(re.findall(r"\$\{(\w+)\}", json.dumps(MACHINE)))
    assert wanted == set(RESOURCES["ScanWorkflow"]["Properties"]["DefinitionSubstitutions"])


@every("name", FUNCTIONS)
def test_a_function_its_module_and_its_event_have_one_name(name: str) -> None:
    module = FUNCTIONS[name]["Handler"].removesuffix(".lambda_handler")
    assert callable(import_module(module).lambda_handler)
    words = module.rpartition(".")[2].split("_")
    assert name == "".join(word.capitalize() for word in words) + "Function"
    assert (PROJECT / "events" / "scanning" / f"{'_'.join(words)}.json").exists()


def test_a_message_is_hidden_for_six_times_as_long_as_a_worker_may_take() -> None:
    for queue, function in (("ScanQueue", "ScanObjectsFunction"), ("ScanDeadLetterQueue", "FailSlicesFunction")):
        assert RESOURCES[queue]["Properties"]["VisibilityTimeout"] >= 6 * FUNCTIONS[function]["Timeout"]


def test_sqs_can_hide_the_news_of_a_job_until_every_attempt_of_a_webhook(stack: Stack) -> None:
    """Twelve hours in all from the receipt on (Amazon SQS developer guide, "Amazon SQS visibility timeout")."""
    client = Mock()
    queue = WebhookQueue(client, "https://queue.example")
    for seconds in WAITS_SECONDS:
        queue.wait("receipt", seconds)
    hidden = [call.kwargs["VisibilityTimeout"] for call in client.change_message_visibility.call_args_list]
    assert max(hidden) + stack["DeliverWebhookFunction"]["Timeout"] <= 43_200
    # What src/waybill/scanning/README.md promises.
    assert sum(hidden) >= 23 * 3600


def test_only_the_workers_and_the_lister_may_read_the_scanned_buckets() -> None:
    readers = {
        name for name, function in FUNCTIONS.items() if {"Ref": "ReadScannedBucketsPolicy"} in function["Policies"]
    }
    assert readers == {"ScanApiFunction", "ProcessBatchFunction", "SplitRangeFunction", "ScanObjectsFunction"}
