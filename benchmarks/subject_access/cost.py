"""What one request over thirty services asks of AWS, from its creation to its delivery, and what that costs."""

from collections.abc import Iterator, Mapping
from typing import Any

from benchmarks.costs import MILLION, SECTIONS, Bill, Usage, bill_per_million
from benchmarks.harness import Benchmark, Figure, Lab
from benchmarks.harness.child import outcome_of
from benchmarks.harness.report import breakdown
from scripts.template import load_template, properties_of
from waybill.core.prices import PriceTable

_SERVICES = 30
_HANDLER = "waybill.subject_access.handlers."


def _memory() -> dict[str, int]:
    """Return the memory of each function of subject access, in MB, by its module."""
    template = load_template()
    usual = template["Globals"]["Function"]["MemorySize"]
    found = {}
    for name, resource in template["Resources"].items():
        if resource["Type"] == "AWS::Serverless::Function":
            module, _, _ = str(resource["Properties"].get("Handler", "")).rpartition(".")
            if module.startswith(_HANDLER):
                found[module.removeprefix(_HANDLER)] = properties_of(name).get("MemorySize", usual)
    return found


def _measure(lab: Lab) -> Iterator[Figure]:
    prices = PriceTable.read()
    job = {"services": _SERVICES, "memory": _memory()}
    counted: dict[str, Any] = outcome_of("a request on moto", "-m", "benchmarks.subject_access.on_moto", job=job)
    steps: Mapping[str, Any] = counted["steps"]
    bills = {name: bill_per_million(Usage(step["used"]), prices) for name, step in steps.items()}
    operations = sorted({one for step in steps.values() for one in step["requests"]})
    rows = [[one, *(step["requests"].get(one, 0) for step in steps.values())] for one in operations]
    sums = [sum(step["requests"].values()) for step in steps.values()]
    rows.append(["= all", *sums])
    rows.append(["invocations", *(sum(step["invocations"].values()) for step in steps.values())])
    lab.show(breakdown(f"AWS requests of one request over {_SERVICES} services", ["Operation", *steps], rows))
    lab.show(_bill(bills))
    lab.say(f"Prices: waybill/core/prices.json ({prices.region}, {prices.as_of}); no storage, transfer, KMS or X-Ray.")
    lab.say("Lambda's time is processor time without moto's own, 4 ms a request to AWS, and 200 ms a service.")
    lab.say(
        f"The copy for the person has {counted['bytes'] / 1000:.0f} kB. The poll is one of a minute, for all requests."
    )
    usd = {name: round(bill.total / MILLION, 6) for name, bill in bills.items()}
    how = (
        f"{_SERVICES} services, created, drawn, downloaded and delivered, on moto, list prices; Lambda's time estimated"
    )
    parts = {
        section: round(sum(bill.section(section) for bill in bills.values()) / MILLION, 6)
        for section in SECTIONS
        if any(bill.section(section) for bill in bills.values())
    }
    yield Figure("disclosure.usd_per_request", round(sum(usd.values()), 5), "USD", how, usd | parts)
    yield Figure(
        "disclosure.aws_requests_per_request",
        sum(sums),
        "",
        "requests to S3, DynamoDB, Secrets Manager and Step Functions, on boto3's hooks",
        dict(zip(steps, sums, strict=True)),
    )


def _bill(bills: Mapping[str, Bill]) -> Any:
    sections = [one for one in SECTIONS if any(bill.section(one) for bill in bills.values())]
    rows = [
        [
            one,
            *(bill.section(one) / 1000 for bill in bills.values()),
            sum(b.section(one) for b in bills.values()) / 1000,
        ]
        for one in sections
    ]
    rows.append(["= all", *(bill.total / 1000 for bill in bills.values()), sum(b.total for b in bills.values()) / 1000])
    return breakdown("USD per thousand requests", ["Billed", *bills, "all"], rows)


BENCHMARKS = (Benchmark(("disclosure.usd_per_request", "disclosure.aws_requests_per_request"), _measure),)
