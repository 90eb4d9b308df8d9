"""Keys without a form of their own, told by the name that a setting gives them, wherever the name stands.

The forms are those of Kubernetes ("Secrets"; "Define Environment Variables"), Terraform ("Input Variables"), Java's
properties, RFC 8259, section 7, and Amazon Bedrock's and Azure Storage's documentation of their keys.
"""

import base64

import pytest

from tests.unit.scanning.conftest import Scan

HEX, LETTERS = "3f9a1c7e5b2d8046e1f7a9c3b5d20846", "q7RvZ2mKx9LpT4wB1cD3eFh5J8kN0oP2sU4vX6yA"
# Padding holds nothing.
ENCODED = base64.b64encode(HEX.encode()).decode().rstrip("=")
BEDROCK = "ABSK" + (LETTERS * 4)[:126] + "=="


@pytest.mark.parametrize(
    ("text", "detector", "written"),
    [
        (f"AWS_SECRET_ACCESS_KEY={LETTERS}\n", "AWS_SECRET", LETTERS),
        (f"https://x.org/?aws_secret={LETTERS}&y=1", "AWS_SECRET", LETTERS),
        (f"data:\n  DD_API_KEY: {ENCODED}\n", "DATADOG_API_KEY", ENCODED),
        (f'{{"DD_API_KEY": "{ENCODED}"}}', "DATADOG_API_KEY", ENCODED),
        (f'variable "datadog_api_key" {{\n  type    = string\n  default = "{HEX}"\n}}\n', "DATADOG_API_KEY", HEX),
        (f"[datadog]\napi_key = {HEX}\n", "DATADOG_API_KEY", HEX),
        (f"app.dd.api.key = {HEX}\n", "DATADOG_API_KEY", HEX),
        (f"ocp_apim_subscription_key = '{HEX}'", "AZURE_API_KEY", HEX),
        (f'{{"m": "loaded\\nOKTA_TOKEN=00{LETTERS}"}}', "OKTA_TOKEN", f"00{LETTERS}"),
        ('variable "API_TOKEN" {\n  default = "hT9pQ2vX7b"\n}\n', "PASSWORD_ASSIGNMENT", "hT9pQ2vX7b"),
        (f'key="{BEDROCK}"', "AWS_BEDROCK_API_KEY", BEDROCK),
        (
            f'<add value="sv=2024-08-04&amp;sp=r&amp;se=2027-05-01T00:00:00Z&amp;sig={LETTERS}abc%3D"/>',
            "AZURE_SAS_TOKEN",
            f"sv=2024-08-04&amp;sp=r&amp;se=2027-05-01T00:00:00Z&amp;sig={LETTERS}abc%3D",
        ),
        ("env:\n- name: DB_PASSWORD\n  value: hT9pQ2vX7b\n", "PASSWORD_ASSIGNMENT", "hT9pQ2vX7b"),
        ('{"name": "API_TOKEN",\r\n "value": "hT9pQ2vX7b"}', "PASSWORD_ASSIGNMENT", "hT9pQ2vX7b"),
    ],
)
def test_a_key_is_told_by_the_name_of_its_setting(scan: Scan, text: str, detector: str, written: str) -> None:
    content = text.encode()
    [found] = [each for each in scan(content).findings if each.detector == detector]
    assert content[found.byte_offset : found.byte_offset + found.byte_length].decode() == written


@pytest.mark.parametrize(
    "text",
    [
        f"DD_API_KEY: x\nETAG: {ENCODED}\n",
        f"id 3cf{HEX[:2]} of [cf12ab34] RCCMNL83S18D969H",
        "- name: DB_PASSWORD\n  valueFrom:\n    secretKeyRef: hT9pQ2vX7b\n",
        "password: ${PASSWORD}\nvalue: hT9pQ2vX7b\n",
        f'variable "size" {{\n  default = "{HEX}"\n}}\nvariable "datadog_api_key" {{\n}}\n',
    ],
)
def test_what_another_name_stands_for_is_none(scan: Scan, text: str) -> None:
    assert not scan(text.encode()).findings


def test_a_token_below_its_name_is_one_finding(scan: Scan) -> None:
    token = "glpat-Zx7kQ2mW9tB4nL6vR1cY"
    assert [each.detector for each in scan(f"- name: CI_TOKEN\n  value: {token}\n".encode()).findings] == [
        "GITLAB_TOKEN"
    ]


@pytest.mark.parametrize(
    ("text", "detector"),
    [
        (f"GET https://x.org/a?refresh_token=1%2F%2F0{LETTERS}{LETTERS}&x=1 200\n", "GOOGLE_REFRESH_TOKEN"),
        (f"https://x.org/?token=u%2B{LETTERS[:18]}&via=pagerduty", "PAGERDUTY_KEY"),
        (f'<a href="?token=1&#47;&#47;0{LETTERS}{LETTERS}">', "GOOGLE_REFRESH_TOKEN"),
    ],
)
def test_a_token_that_is_written_in_signs_is_found_once(scan: Scan, text: str, detector: str) -> None:
    """RFC 3986, section 2.1; HTML, section 13.5: what is assigned is the token, and no password besides."""
    assert [each.detector for each in scan(text.encode()).findings] == [detector]
