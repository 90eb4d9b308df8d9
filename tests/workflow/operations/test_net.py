"""The net below the workflows' own notifications: EventBridge's events of executions that ended badly."""

from tests.workflow.support.application import Application
from tests.workflow.support.gate import Gate
from tests.workflow.support.source import Source


def test_stopped_run_is_told_with_attributes_to_filter_by(
    application: Application, gate: Gate, quiet: Source, key: str, label: str
) -> None:
    quiet.put(key)
    with gate.holding("CopyObject", label) as copies:
        arn = application.start(quiet.request(key), label)
        copies.wait()
        application.sfn.stop_execution(executionArn=arn)
        [letter] = application.told(label)

    workflow = application.workflow.rpartition(":")[2]
    assert letter.attributes == {
        "workflow": workflow,
        "status": "ABORTED",
        "subject": label,
        "notificationId": label,
    }
    assert letter.subject == f"{workflow} ABORTED: {label}"
    assert arn in letter.body
    application.reconcile()


def test_run_that_has_told_itself_is_not_told_again(application: Application, quiet: Source, label: str) -> None:
    ended = application.run(quiet.request(f"{label}-missing"), label)

    assert ended.error == "FAILED"
    [letter] = application.told(label)
    assert letter.attributes["workflow"] == "replication"
