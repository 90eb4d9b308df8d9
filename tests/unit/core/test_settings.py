import pytest
from pydantic import ValidationError

from waybill.core.errors import ConfigurationError
from waybill.core.settings import NotificationSettings, ObservabilitySettings, WaybillSettings, load


class Two(WaybillSettings):
    first_number: int
    second_number: int = 2


def test_variables_are_named_as_fields_in_upper_case(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAILURE_TOPIC_ARN", "arn:topic")
    assert load(NotificationSettings).failure_topic_arn == "arn:topic"


def test_they_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIRST_NUMBER", "1")
    first = load(Two)
    monkeypatch.setenv("FIRST_NUMBER", "7")
    assert load(Two) is first
    assert first.first_number == 1


def test_an_empty_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIRST_NUMBER", "1")
    monkeypatch.setenv("SECOND_NUMBER", "")
    assert load(Two).second_number == 2


def test_everything_unusable_is_named_and_no_value_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECOND_NUMBER", "hunter2")
    with pytest.raises(ConfigurationError) as caught:
        load(Two)
    told = str(caught.value)
    assert "FIRST_NUMBER: Field required" in told
    assert "SECOND_NUMBER: Input should be a valid integer" in told
    assert "hunter2" not in told


def test_numbers_and_truth_values_are_read_from_text(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lambda's variables are text (Lambda developer guide, "Environment variables"); template.yaml says `"true"`."""

    class Kinds(WaybillSettings):
        whole: int
        part: float
        yes: bool
        no: bool
        maybe: str | None = None

    for name, text in {"WHOLE": "12", "PART": "0.5", "YES": "true", "NO": "false", "MAYBE": "", "OTHER": "x"}.items():
        monkeypatch.setenv(name, text)
    assert load(Kinds).model_dump() == {"whole": 12, "part": 0.5, "yes": True, "no": False, "maybe": None}


def test_a_mistake_is_mended_by_the_next_call(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigurationError):
        load(Two)
    monkeypatch.setenv("FIRST_NUMBER", "1")
    assert load(Two).first_number == 1


def test_nobody_changes_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIRST_NUMBER", "1")
    with pytest.raises(ValidationError, match="frozen"):
        load(Two).first_number = 3


def test_a_function_can_always_log() -> None:
    assert load(ObservabilitySettings).log_level == "INFO"
