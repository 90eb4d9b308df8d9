"""One run however often the checks are asked for, another when the last has ended."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from waybill.consignments.domain.starter import CheckStarter, run_name
from waybill.consignments.errors import RegistrationIncompleteError
from waybill.consignments.models import Consignment, ConsignmentType
from waybill.core.executions import NAME_LIMIT, StartedExecution

MACHINE = "arn:aws:states:eu-west-1:0:stateMachine:checks"
CONSIGNMENT = Consignment(
    "0f8fad5b-d9cb-469f-a165-70867728950e", ConsignmentType.STANDARD, "R", "B", "alice", 1, "Registered", "now"
)


@dataclass
class Executions:
    """Step Functions, by name; `running` are ARNs."""

    started: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    running: set[str] = field(default_factory=set)

    def start(self, state_machine_arn: str, name: str, payload: Mapping[str, Any]) -> StartedExecution:
        known = name in self.started
        if not known:
            self.started[name] = payload
            self.running.add(self.arn(name))
        return StartedExecution(self.arn(name), datetime.now(UTC), known)

    def find(self, state_machine_arn: str, name: str) -> StartedExecution | None:
        return StartedExecution(self.arn(name), datetime.now(UTC), True) if name in self.started else None

    def is_running(self, execution_arn: str) -> bool:
        return execution_arn in self.running

    @staticmethod
    def arn(name: str) -> str:
        return f"arn:aws:states:eu-west-1:0:execution:checks:{name}"


@dataclass
class Register:
    """One consignment with so many files."""

    stored: Consignment = CONSIGNMENT
    files_: int = 1

    def find(self, consignment_id: str) -> Consignment:
        return self.stored

    def note_start(self, consignment: Consignment, execution_arn: str) -> None:
        self.noted = execution_arn

    def count_files(self, consignment_id: str) -> int:
        return self.files_

    def claim(self, arn: str) -> None:
        """The workflow's first step takes the consignment over."""
        self.stored = replace(self.stored, run=self.stored.run + 1, execution_arn=arn)

    def create(self, consignment: Consignment) -> None: ...
    def add_files(self, consignment_id: str, files: Any) -> None: ...
    def files(self, consignment_id: str) -> Any: ...


@pytest.fixture
def executions() -> Executions:
    return Executions()


@pytest.fixture
def register() -> Register:
    return Register()


@pytest.fixture
def starter(register: Register, executions: Executions) -> CheckStarter:
    return CheckStarter(register, executions, MACHINE)


def test_two_requests_at_the_same_time_start_one_run(starter: CheckStarter, executions: Executions) -> None:
    first, second = starter.start(CONSIGNMENT), starter.start(CONSIGNMENT)
    assert first.execution_arn == second.execution_arn
    assert (first.already_running, second.already_running) == (False, True)
    assert list(executions.started.values()) == [{"consignmentId": CONSIGNMENT.consignment_id}]


def test_a_run_that_is_under_way_is_found(starter: CheckStarter, register: Register, executions: Executions) -> None:
    first = starter.start(CONSIGNMENT)
    register.claim(first.execution_arn)
    again = starter.start(register.stored)
    assert (again.execution_arn, again.already_running) == (first.execution_arn, True)


def test_a_run_of_another_stack_is_not_waited_for(starter: CheckStarter, executions: Executions) -> None:
    """In a restored table; this stack's functions may not look at it (the template's `states:DescribeExecution`)."""
    foreign = "arn:aws:states:eu-west-1:0:execution:other-checks:run"
    executions.running.add(foreign)
    started = starter.start(replace(CONSIGNMENT, run=1, execution_arn=foreign))
    assert (started.execution_arn in executions.running, started.already_running) == (True, False)
    assert started.execution_arn.startswith("arn:aws:states:eu-west-1:0:execution:checks:")


def test_when_the_last_has_ended_there_is_another(
    starter: CheckStarter, register: Register, executions: Executions
) -> None:
    arns = []
    for _ in range(3):
        started = starter.start(register.stored)
        register.claim(started.execution_arn)
        executions.running.clear()
        arns.append(started.execution_arn)
    assert len(set(arns)) == 3


def test_a_run_that_ended_before_it_claimed_the_consignment_blocks_nothing(
    starter: CheckStarter, executions: Executions
) -> None:
    first = starter.start(CONSIGNMENT)
    executions.running.clear()
    second = starter.start(CONSIGNMENT)
    assert second.execution_arn != first.execution_arn
    assert not second.already_running


def test_a_request_that_slept_through_a_whole_run_starts_none(
    starter: CheckStarter, register: Register, executions: Executions
) -> None:
    first = starter.start(CONSIGNMENT)
    register.claim(first.execution_arn)
    executions.running.clear()
    late = starter.start(CONSIGNMENT)
    assert (late.execution_arn, late.already_running) == (first.execution_arn, True)
    assert len(executions.started) == 1


def test_a_run_that_somebody_started_by_hand_counts(
    starter: CheckStarter, register: Register, executions: Executions
) -> None:
    by_hand = executions.start(MACHINE, "by-hand", {})
    register.claim(by_hand.execution_arn)
    assert starter.start(register.stored).execution_arn == by_hand.execution_arn
    executions.running.clear()
    assert starter.start(register.stored).execution_arn == executions.arn(run_name(CONSIGNMENT, 2))


@pytest.mark.parametrize(("registered", "announced"), [(0, 0), (0, 1), (999, 1000)])
def test_an_incomplete_register_is_not_checked(
    starter: CheckStarter, register: Register, executions: Executions, registered: int, announced: int
) -> None:
    register.files_ = registered
    with pytest.raises(RegistrationIncompleteError):
        starter.start(replace(CONSIGNMENT, announced=announced))
    assert executions.started == {}


def test_names_of_runs_differ_and_fit() -> None:
    names = {run_name(CONSIGNMENT, attempt) for attempt in range(1, 50)}
    assert len(names) == 49
    assert max(map(len, names)) <= NAME_LIMIT
