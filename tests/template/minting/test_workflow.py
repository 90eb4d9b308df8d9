"""The minting workflow: its states, what they try again, the outcomes, and what wakes people."""

from tests.template.support.machines import State, machines
from tests.template.support.rules import every
from tests.template.support.stack import Stack, target
from waybill.minting.domain import plan

(MACHINE,) = (machine for machine in machines() if machine.file.name == "minting.asl.json")
STATES = {state.name: state for state in MACHINE.states}

ALARMS = {
    "MintingFailedAlarm": ("ExecutionsFailed", "IdMinterWorkflow"),
    "MintingTimedOutAlarm": ("ExecutionsTimedOut", "IdMinterWorkflow"),
    "IdMinterErrorsAlarm": ("Errors", "IdMinterFunction"),
    "MintingDeadLetterAlarm": ("ApproximateNumberOfMessagesVisible", "MintingDeadLetterQueue"),
    "MintingRequestAgeAlarm": ("ApproximateAgeOfOldestMessage", "MintingRequestQueue"),
    "MintingResultsUnreadAlarm": ("ApproximateNumberOfMessagesVisible", "MintingResultQueue"),
    "MintingQueueRecursionAlarm": ("RecursiveInvocationsDropped", "MintingQueueFunction"),
}


def retried(state: State) -> dict[str, dict]:
    return {error: retrier for retrier in state.retriers for error in retrier["ErrorEquals"]}


def choices(name: str) -> list[tuple[str, str]]:
    body = STATES[name].body
    return [*((choice["Condition"], choice["Next"]) for choice in body["Choices"]), ("", body["Default"])]


def test_the_outcome_depends_on_counts_and_has_three_ways() -> None:
    assert choices("CheckOutcome") == [
        ("{% $states.input.failureCount = 0 %}", "AllSucceeded"),
        ("{% $states.input.successCount > 0 %}", "SomeSucceeded"),
        ("", "NoneSucceeded"),
    ]
    # `failures` is always there: a choice on its presence would send every run the same way.
    assert "IsPresent" not in MACHINE.file.read_text("utf-8")
    for outcome in ("AllSucceeded", "SomeSucceeded", "NoneSucceeded"):
        assert STATES[outcome].body["End"] is True


@every("name", ["IdMinter", "PlanMinting", "MintChunk", "MintManifestChunk", "SummariseMinting"])
def test_platform_faults_are_tried_as_the_guide_has_it(name: str) -> None:
    rules = retried(STATES[name])
    for error in ("Lambda.ServiceException", "Lambda.AWSLambdaException", "Lambda.SdkClientException"):
        assert (rules[error]["IntervalSeconds"], rules[error]["BackoffRate"], rules[error]["MaxAttempts"]) == (2, 2, 3)
    for error in ("Lambda.Unknown", "States.Timeout"):
        assert rules[error]["MaxAttempts"] == 2


@every(
    ("name", "errors"),
    [
        ("IdMinter", {"RegistryUnavailableError"}),
        ("PlanMinting", {"DocumentsUnavailableError"}),
        ("MintChunk", {"ChunkUnfinishedError", "RegistryUnavailableError", "DocumentsUnavailableError"}),
        ("MintManifestChunk", {"ChunkUnfinishedError", "RegistryUnavailableError", "DocumentsUnavailableError"}),
        ("SummariseMinting", {"DocumentsUnavailableError", "ResultsMissingError"}),
    ],
)
def test_our_passing_faults_are_tried_again(name: str, errors: set[str]) -> None:
    assert {error for error in retried(STATES[name]) if "." not in error} == errors


def test_a_chunk_is_minted_the_same_way_from_the_state_and_from_the_manifest() -> None:
    inline, manifest = (
        {key: value for key, value in STATES[name].body.items() if key not in {"Comment", "Output", "Catch"}}
        for name in ("MintChunk", "MintManifestChunk")
    )
    assert inline == manifest


def test_no_chunk_may_be_lost() -> None:
    # "The default value is 0" (developer guide, "Setting failure thresholds for Distributed Map states").
    assert not {"ToleratedFailurePercentage", "ToleratedFailureCount"} & set(STATES["MintManifest"].body)
    for name in ("MintChunk", "MintManifestChunk"):
        failed = STATES[STATES[name].catchers[-1]["Next"]]
        assert failed.kind == "Fail"


def test_the_last_attempt_of_a_chunk_is_the_one_that_keeps_its_failures(project) -> None:
    module = project / "src" / "waybill" / "minting" / "handlers" / "mint_chunk.py"
    attempts = retried(STATES["MintChunk"])["ChunkUnfinishedError"]["MaxAttempts"]
    assert f"_LAST_ATTEMPT = {attempts}\n" in module.read_text("utf-8")


def test_a_chunk_fits_the_state_with_its_answer() -> None:
    # Step Functions developer guide, "Quotas": 256 KiB of a state.
    assert plan.STATE_BYTES < 262_144
    assert plan.CHUNK_BYTES < plan.STATE_BYTES
    assert plan.CHUNK_ENTRIES == 100


def test_what_the_workflow_sends_in_one_task_is_never_too_much_for_it(stack: Stack) -> None:
    # The command line sends as many, too.
    assert stack.source["Parameters"]["IdentifiersPerRequest"]["MinValue"] == plan.CHUNK_ENTRIES
    condition, following = choices("ChooseSize")[0]
    assert following == "PlanMinting"
    assert f"$count($request.sourceIdentifiers) > {plan.CHUNK_ENTRIES} " in condition


@every("alarm", ALARMS)
def test_alarms(stack: Stack, alarm: str) -> None:
    (dimension,) = stack[alarm]["Dimensions"]
    assert (stack[alarm]["MetricName"], target(dimension["Value"])) == ALARMS[alarm]


def test_every_alarm_of_the_minter_is_listed(stack: Stack) -> None:
    ours = {"IdMinter", "Minting"}
    alarms = {name for name in stack.of_type("AWS::CloudWatch::Alarm") if any(name.startswith(one) for one in ours)}
    assert alarms == set(ALARMS)


def test_queued_requests_are_hidden_long_enough_and_end_in_the_dead_letter_queue(stack: Stack) -> None:
    timeout = stack["MintingQueueFunction"]["Timeout"]
    assert stack["MintingRequestQueue"]["VisibilityTimeout"] >= 6 * timeout
    redrive = stack["MintingRequestQueue"]["RedrivePolicy"]
    assert target(redrive["deadLetterTargetArn"]) == "MintingDeadLetterQueue"
    (mapping,) = (
        one
        for one in stack.of_type("AWS::Lambda::EventSourceMapping").values()
        if target(one["EventSourceArn"]) == "MintingRequestQueue"
    )
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


@every("function", ["IdMinterFunction", "MintingApiFunction", "MintingQueueFunction", "MintChunkFunction"])
def test_a_hundred_identifiers_need_no_more_memory_than_this(stack: Stack, function: str) -> None:
    assert stack[function]["MemorySize"] == 256
