"""The workflow of the consignment checks: its order, what it repeats, and what it leaves when it fails."""

import json
from typing import Any

import pytest

from tests.template.support.machines import Machine, machines
from tests.template.support.rules import every
from tests.template.support.stack import Stack
from waybill.consignments.domain.notifications import PROBLEMS_IN_REHEARSAL

# Values of TDR's `backEndChecksProcess`, and of the one state that is ours.
STEPS = {
    "GetFiles": "Get Files",
    "CheckConsignment": "Map",
    "ProcessMapResults": "Process Map Results",
    "RedactedFiles": "Redacted files",
    "GenerateStatuses": "Generate Statuses",
    "CopyConsignment": "Copy Files",
    "UpdateConsignment": "Update API",
}


@pytest.fixture(scope="module")
def machine() -> Machine:
    (found,) = (machine for machine in machines() if machine.file.name == "consignments.asl.json")
    return found


@every(("state", "step"), STEPS.items())
def test_a_step_that_fails_is_named(machine: Machine, state: str, step: str) -> None:
    states = machine.definition["States"]
    (catcher,) = states[state]["Catch"]
    assert catcher["Next"] == f"{state}Failed"
    failed = states[f"{state}Failed"]
    assert (failed["Output"]["step"], failed["Next"]) == (step, "RecordFailure")


def test_news_are_best_effort(machine: Machine) -> None:
    states = machine.definition["States"]
    assert states["NotifyProblems"]["Catch"][-1]["Next"] == states["NotifyProblems"]["Next"] == "ChecksDone"


def test_the_results_are_written_by_one_state_after_all_others(machine: Machine) -> None:
    writers = [
        state.name
        for state in machine.states
        if "dynamodb" in str(state.body.get("Resource", "")) or state.name == "UpdateConsignment"
    ]
    assert sorted(writers) == ["RecordProgress", "UpdateConsignment"]


def test_a_group_that_fails_does_not_fail_the_map(machine: Machine) -> None:
    child = machine.definition["States"]["CheckConsignment"]["ItemProcessor"]["States"]
    (catcher,) = child["CheckFiles"]["Catch"]
    assert (catcher["ErrorEquals"], catcher["Next"]) == (["States.ALL"], "RecordProgress")
    # What the child hands on has no files in it, whatever became of them.
    assert "$name != 'files'" in catcher["Output"]
    assert "$name != 'files'" in child["CheckFiles"]["Output"]
    assert not any(state["Type"] == "Fail" for state in child.values())


@every(("name", "kept"), [("CheckConsignment", None), ("CopyConsignment", "$.gone")])
def test_maps_keep_their_results_out_of_the_state(machine: Machine, name: str, kept: str | None) -> None:
    state = machine.definition["States"][name]
    assert state["ResultPath"] == kept
    # Express children would end after five minutes, in the middle of a large file.
    assert state["ItemProcessor"]["ProcessorConfig"] == {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}


def test_of_a_hundred_copies_a_number_is_left(machine: Machine) -> None:
    """The numbers of a million files are 20 kB."""
    states = machine.definition["States"]
    child = states["CopyConsignment"]["ItemProcessor"]["States"]["CopyFiles"]
    assert child["Output"] == "{% $states.result.Payload.gone %}"
    assert states["CopyConsignment"]["Next"] == "CheckAnyGone"
    (gone,) = states["CheckAnyGone"]["Choices"]
    failed = states[gone["Next"]]
    assert (failed["Output"]["step"], failed["Next"]) == ("Copy Files", "RecordFailure")


def test_the_item_of_the_consignment_is_written_by_functions_alone(machine: Machine) -> None:
    # The table's adapter knows its keys and attributes; the definition writes under a key that it is given.
    arguments = next(state.body["Arguments"] for state in machine.states if state.name == "RecordProgress")
    assert arguments["Item"]["sk"] == {"S": "{% $states.input.progressKey %}"}
    assert "CONSIGNMENT" not in json.dumps(machine.definition)


def test_the_role_trusts_the_account_and_names_no_machine(stack: Stack) -> None:
    # A condition on the machine's ARN would keep the children of Distributed Maps out.
    (statement,) = stack["ConsignmentChecksWorkflowRole"]["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}


def test_the_role_may_do_what_the_states_do_by_themselves(stack: Stack, machine: Machine) -> None:
    may = {(grant.action, grant.resource) for grant in stack.grants("ConsignmentChecksWorkflowRole")}
    invoked = {str(machine.function_of(state)) for state in machine.states if machine.function_of(state)}
    assert {resource for action, resource in may if action == "lambda:InvokeFunction"} == invoked
    assert {action for action, resource in may if resource == "ConsignmentsTable"} == {"dynamodb:PutItem"}
    assert {action for action, _ in may if action.startswith(("states:", "s3:"))} == {
        "states:StartExecution",
        "states:DescribeExecution",
        "states:StopExecution",
        # AWS Step Functions Developer Guide, "IAM policies for Distributed Map": what a redrive of the run needs.
        "states:RedriveExecution",
        "s3:GetObject",
    }


def test_what_states_pass_on_is_not_the_files(machine: Machine) -> None:
    """Only the children of the Map see files, a group each."""
    outside: dict[str, Any] = {
        name: {key: value for key, value in body.items() if key != "ItemProcessor"}
        for name, body in machine.definition["States"].items()
    }
    assert ".files }" not in json.dumps(outside)


def test_uploads_are_versioned_so_that_a_run_can_pin_them(stack: Stack) -> None:
    assert stack["ConsignmentUploadBucket"]["VersioningConfiguration"] == {"Status": "Enabled"}


def test_problems_of_rehearsals_go_into_no_e_mail(stack: Stack) -> None:
    """Messages without a status, such as alarms, still do."""
    policy = stack["FailureEmail"]["FilterPolicy"]
    assert policy == {"status": [{"anything-but": [PROBLEMS_IN_REHEARSAL]}, {"exists": False}]}


def test_what_guardduty_finds_in_uploads_is_told(stack: Stack) -> None:
    rule = stack["MalwareFoundRule"]
    assert rule["EventPattern"]["detail"] == {
        "scanResultDetails": {"scanResultStatus": ["THREATS_FOUND"]},
        "s3ObjectDetails": {"bucketName": [{"Ref": "ConsignmentUploadBucket"}]},
    }
    (target,) = rule["Targets"]
    assert target["Arn"] == {"Ref": "FailureTopic"}
    assert set(target["InputTransformer"]["InputPathsMap"].values()) == {
        "$.detail.s3ObjectDetails.bucketName",
        "$.detail.s3ObjectDetails.objectKey",
        "$.detail.scanResultDetails.scanResultStatus",
    }
