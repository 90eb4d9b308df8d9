"""Which value a keyword in the same line is about: Amazon Macie, "Keyword requirements" (names of fields, paths)."""

import pytest

from tests.unit.scanning.conftest import Scan

NUMBER = "219456789"


def numbers(scan: Scan, text: str) -> list[str]:
    content = text.encode()
    found = [finding for finding in scan(content).findings if finding.detector == "US_SSN"]
    return [content[each.byte_offset : each.byte_offset + each.byte_length].decode() for each in found]


@pytest.mark.parametrize(
    "text",
    [
        f"ssn: {NUMBER}",
        f"ssn={NUMBER} invoice=77",
        f'{{"ssn": "{NUMBER}", "invoice": 77}}',
        f'{{"invoice": 77, "ssn_number": {NUMBER}}}',
        f'{{"ssn": {{"kind": "x", "digits": "{NUMBER}"}}}}',
        f'{{"field": "ssn", "value": "{NUMBER}"}}',
        f'{{"ssn": ["{NUMBER}"]}}',
        f"ssn of John Smith, number: {NUMBER}",
        f"Her SSN, as she says: {NUMBER}",
        f"{NUMBER} is the ssn of John",
        f"{NUMBER} (SSN)",
        f"id={NUMBER} # the ssn",
        f"<ssn>{NUMBER}</ssn><invoice>77</invoice>",
        f"<ssn><digits>{NUMBER}</digits></ssn>",
        f'<ssn kind="x">{NUMBER}</ssn>',
        f'<p invoice="77" ssn="{NUMBER}"/>',
        f"SSN 12 of 14: {NUMBER}",
        f"ssn as of 2024-01-15 for Jane {NUMBER}",
        f"ssn\t{NUMBER}\tinvoice\t77",
    ],
)
def test_a_keyword_is_about_its_own_value(scan: Scan, text: str) -> None:
    assert numbers(scan, text) == [NUMBER]


@pytest.mark.parametrize(
    "text",
    [
        f"ssn: none, invoice: {NUMBER}",
        f"ssn= invoice={NUMBER} ssn2=no",
        f"invoice={NUMBER} ssn=none",
        f'{{"ssn": null, "invoice": {NUMBER}}}',
        f'{{"invoice": {NUMBER}, "ssn": null}}',
        f'{{"ssn": {{"kind": "x"}}, "invoice": {NUMBER}}}',
        f'{{"invoice": "{NUMBER}", "ssn": ""}}',
        f"<ssn>none</ssn><invoice>{NUMBER}</invoice>",
        f"<invoice>{NUMBER}</invoice><ssn>none</ssn>",
        f'<p ssn="none" invoice="{NUMBER}"/>',
        f"$ssn = null; $invoice = {NUMBER};",
    ],
)
def test_a_label_is_not_about_its_neighbours_value(scan: Scan, text: str) -> None:
    assert not numbers(scan, text)


@pytest.mark.parametrize(
    ("text", "own"),
    [
        (f"ssn 219-45-6788 invoice {NUMBER}", "219-45-6788"),
        (f"invoice {NUMBER} ssn 219-45-6788", "219-45-6788"),
        (f"ssn: 219-45-6788, invoice: {NUMBER}", "219-45-6788"),
        (f"invoice: {NUMBER}, ssn: 219-45-6788", "219-45-6788"),
        (f"<ssn>219456788</ssn><invoice>{NUMBER}</invoice>", "219456788"),
    ],
)
def test_of_two_numbers_each_has_its_own_label(scan: Scan, text: str, own: str) -> None:
    assert numbers(scan, text) == [own]


def test_a_list_of_values_has_one_label(scan: Scan) -> None:
    assert numbers(scan, "ssn 219456788, 219456787 and 219456786") == ["219456788", "219456787", "219456786"]
    assert numbers(scan, '{"ssn": [219456788, 219456787]}') == ["219456788", "219456787"]


def test_a_secret_belongs_to_the_vendor_that_another_field_names(scan: Scan) -> None:
    for text in ("mailgun_domain=mg.corp-mail.org api_key={}", "api_key={} mailgun_domain=mg.corp-mail.org"):
        found = scan(text.format("key-3f9a1c7e5b2d8046e1f7a9c3b5d20846").encode()).findings
        assert [each.detector for each in found] == ["MAILGUN_API_KEY"]
