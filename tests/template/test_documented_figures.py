"""Figures of the pages that are counts of the template, against the template and the list prices."""

import re

from benchmarks.aws.idle import standing
from benchmarks.billing_units import PriceTable
from scripts.deployment import Deployment
from scripts.template import PROJECT
from tests.template.support.stack import Stack

_WORDS = ("no", "a", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def test_what_a_stack_costs_that_nobody_uses_is_what_stands_in_the_template(stack: Stack) -> None:
    """Prices: benchmarks/prices.json, each with its source; counted as `make bench` does."""
    used = standing(Deployment(stack.template, AlertEmail="team@example.org"))
    prices = PriceTable.read()
    usd = {name: prices.usd(name, quantity) for name, quantity in used.items()}
    page = " ".join((PROJECT / "docs" / "deployment.md").read_text("utf-8").split())
    sentence = page.partition("## What it costs while nobody uses it")[2].partition("##")[0]

    def said(pattern: str) -> list[str]:
        found = re.search(pattern, sentence)
        assert found, pattern
        return list(found.groups())

    assert said(r"(\w+) keys \$(\d+)") == [_WORDS[int(used["kms_keys"])], f"{usd['kms_keys']:.0f}"]
    assert said(r"(\w+) secrets \$(\d+\.\d\d)") == [_WORDS[int(used["secrets"])], f"{usd['secrets']:.2f}"]
    assert said(r"(\w+) dashboard \$(\d+)") == [_WORDS[int(used["dashboards"])], f"{usd['dashboards']:.0f}"]
    assert said(r"up to (\d+) metrics of its own \$(\d+\.\d\d)") == [
        str(used["custom_metrics"]),
        f"{usd['custom_metrics']:.2f}",
    ]
    alarms, dollars = said(r"some (\d+) alarms \$(\d+)")
    assert abs(int(alarms) - used["alarms"]) <= 5
    assert abs(float(dollars) - usd["alarms"]) <= 0.5
    queues, polling = said(r"the polling of (\w+) queues \$(\d+\.\d\d)")
    assert [queues, polling] == [_WORDS[round(used["sqs_requests"] / 648_000)], f"{usd['sqs_requests']:.2f}"]
    assert abs(float(said(r"About \$(\d+) a month")[0]) - sum(usd.values())) <= 1
