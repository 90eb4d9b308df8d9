"""One test for a rule is as strong as one for each thing that it is about."""

import pytest

from tests.template.support.rules import every


def test_everything_that_breaks_a_rule_is_named_and_nothing_else() -> None:
    looked_at = []

    @every(("number", "limit"), [(1, 2), (3, 2), (2, 2), (5, 2)])
    def rule(extra: str, number: int, limit: int) -> None:
        looked_at.append(number)
        if number == 5:
            raise KeyError(extra)
        assert number <= limit

    with pytest.raises(AssertionError) as raised:
        rule(extra="gone")
    assert looked_at == [1, 3, 2, 5]
    assert str(raised.value).startswith("2 of 4 break the rule\n3 and 2: AssertionError: ")
    assert "\n5 and 2: KeyError: 'gone'" in str(raised.value)


def test_a_rule_that_everything_keeps_is_silent_and_asks_for_its_fixtures_alone(
    request: pytest.FixtureRequest,
) -> None:
    @every("number", [1, 2])
    def rule(request: pytest.FixtureRequest, number: int) -> None:
        assert number < 3

    rule(request=request)


def test_a_rule_about_nothing_is_broken() -> None:
    @every("number", [])
    def rule(number: int) -> None:
        pass

    with pytest.raises(AssertionError, match="nothing that the rule could be about"):
        rule()
