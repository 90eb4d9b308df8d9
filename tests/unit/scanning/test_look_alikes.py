"""What has the form of a secret and is none: placeholders, and what vendors print in their documentation.

What is said here to be certain (HIGH), somebody acts on at once.
"""

import re
from itertools import cycle

import pytest

from waybill.scanning.domain.detection.engine import Engine
from waybill.scanning.domain.detection.models import Confidence
from waybill.scanning.domain.detection.rules import detectors

# Letters and digits behind the prefix of a token, as people write them who have none to show.
_WRITTEN = (
    "x",
    "X",
    "0",
    "0123456789abcdef",
    "1234567890",
    "abcdefghijklmnopqrstuvwxyz0123456789",
    "EXAMPLE",
    "your_token_here_",
)
_PREFIX = re.compile(r"[A-Za-z0-9]*[-_.:$/~]+|[A-Z]{3,6}|[a-z]{2,6}")
_FORMS = [
    pytest.param(str(example["text"]), str(example["finds"]), id=detector.id)
    for detector in detectors()
    if detector.id.endswith(("_TOKEN", "_KEY", "_SECRET", "_WEBHOOK_URL")) and detector.id != "PRIVATE_KEY"
    for example in [
        each
        for each in detector.examples
        if 20 <= len(str(each.get("finds", ""))) <= 300 and not each.get("sample") and "\n" not in str(each["finds"])
    ][:1]
    if "PRIVATE" not in str(example["text"])
]


@pytest.mark.parametrize(("text", "value"), _FORMS)
def test_the_form_of_a_token_without_a_token_is_nothing_to_act_on(engine: Engine, text: str, value: str) -> None:
    prefix = _PREFIX.match(value)
    first = prefix.end() if prefix else 0
    for written in _WRITTEN:
        signs = cycle(written)
        body = "".join(next(signs) if sign.isalnum() else sign for sign in value[first:])
        found = engine.matches(text.replace(value, value[:first] + body).encode())
        assert not [match for match in found if match.confidence == Confidence.HIGH], written
    starred = engine.matches(text.replace(value, value[:first] + "*" * 20).encode())
    assert not [match for match in starred if match.confidence == Confidence.HIGH]


@pytest.mark.parametrize(
    "text",
    [
        # jwt.io, and RFC 7519, sections 3.1 and 6.1
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIiwiaWF0IjoxNTE2MjM5MDIyfQ"
        ".SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c",
        "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNv"
        "bS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
        "eyJhbGciOiJub25lIn0.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.",
        # a header, and nothing that is a token's
        "Bearer eyJhbGciOiJIUzI1NiJ9.xxxxxxxxxxxxxxxxxxxx.xxxxxxxxxxxx",
        "Bearer eyJhbGciOiJIUzI1NiJ9.eyJz...",
        # RFC 7617, section 2; curl's manual of .netrc
        "Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==",
        "machine example.com login daniel password qwerty",
        # RFC 6749, sections 2.3.1 and 4.1.3
        "Authorization: Basic czZCaGRSa3F0Mzo3RmpmcDBaQnIxS3REUmJuZlZkbUl3",
        "Authorization: Basic czZCaGRSa3F0MzpnWDFmQmF0M2JW",
        # a decimal number with its sign
        "quantize(Decimal('+35236450.6'), x)",
        # a service account whose key was taken out
        '{"type": "service_account", "private_key": "-----BEGIN PRIVATE KEY-----\\n'
        'YOUR_KEY\\n-----END PRIVATE KEY-----\\n"}',
        # RFC 3986, section 3.2.1: who logs in is no e-mail address, whether the password is one or not
        "ftp://anonymous:guest@ftp.corp-mail.org/",
        "ssh://git@git.corp-mail.org/app.git",
    ],
)
def test_what_documentation_prints_is_nothing_to_act_on(engine: Engine, text: str) -> None:
    assert not [match for match in engine.matches(text.encode()) if match.confidence == Confidence.HIGH]


def test_a_token_in_use_is_told_from_those_of_documentation(engine: Engine) -> None:
    packed = (
        "eyJhbGciOiJSU0EtT0FFUCIsImVuYyI6IkEyNTZHQ00ifQ.OKOawDo13gRp2ojaHV7LFpZcgV7T6DVZKTyKOMTYUmKoTCVJRgckCL9k.48V1"
    )
    for text in (f"jwt {packed}", "mail to:alice@corp-mail.org", "https://x.org/?to=alice@corp-mail.org"):
        assert [match.confidence for match in engine.matches(text.encode())] == [Confidence.HIGH], text


def test_a_key_of_the_cosmos_emulator_is_no_storage_key(engine: Engine) -> None:
    # Microsoft Learn, "Azure Cosmos DB emulator": the account's key, which is the same for everybody
    key = "C2y6yDjf5/R+ob0N8A7Cgv30VRDJIWEHLM+4QDU5DE2nQ9nDuVTqobD4b8mGGyPMbIZnqyMsEcaGQy67XIw/Jw=="
    found = engine.matches(f"AccountEndpoint=https://localhost:8081/;AccountKey={key}".encode())
    assert [(match.detector, match.sample) for match in found] == [("AZURE_COSMOS_KEY", True)]
