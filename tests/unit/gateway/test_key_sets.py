import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import RSAAlgorithm

from tests.fakes.issuer import AUDIENCE, ISSUER, ec_key, key_set, public_jwk, rsa_key, token
from waybill.gateway.domain.authoriser import TokenVerifier
from waybill.gateway.domain.key_sets import FetchedKeys, FixedKeys, parse_key_set
from waybill.gateway.errors import KeySetError, KeysUnavailableError, TokenRefusedError

TTL, STALE, INTERVAL = 600.0, 3600.0, 30.0


class Issuer:
    """Serves a key set, counts how often it is asked, and can be down."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.asked = 0
        self.down = False
        self.document = key_set()
        self.failures: list[Exception] = []

    def fetch(self) -> str:
        self.asked += 1
        if self.down:
            raise KeysUnavailableError("the issuer is down")
        return self.document

    def keys(self) -> FetchedKeys:
        return FetchedKeys(
            self.fetch,
            self.failures.append,
            ttl=TTL,
            max_stale=STALE,
            min_interval=INTERVAL,
            clock=lambda: self.now,
        )


@pytest.fixture
def issuer() -> Issuer:
    return Issuer()


def test_the_keys_are_fetched_once_and_kept(issuer: Issuer) -> None:
    keys = issuer.keys()
    assert issuer.asked == 0
    for _ in range(50):
        assert keys.find("rsa-1") is not None
        assert keys.find("ec-1") is not None
    issuer.now += TTL - 1
    assert keys.find("rsa-1") is not None
    assert issuer.asked == 1


def test_old_keys_are_fetched_again(issuer: Issuer) -> None:
    keys = issuer.keys()
    keys.find("rsa-1")
    issuer.document = key_set(public_jwk(rsa_key("new"), "rsa-2"))
    issuer.now += TTL
    assert keys.find("rsa-1") is None
    assert keys.find("rsa-2") is not None
    assert issuer.asked == 2


def test_an_unknown_key_id_fetches_once_and_finds_the_issuers_new_key(issuer: Issuer) -> None:
    keys = issuer.keys()
    keys.find("rsa-1")
    issuer.now += INTERVAL
    issuer.document = key_set(public_jwk(rsa_key("new"), "rsa-2"))
    assert keys.find("rsa-2") is not None
    assert issuer.asked == 2


def test_made_up_key_ids_cannot_be_used_to_hammer_the_issuer(issuer: Issuer) -> None:
    keys = issuer.keys()
    for number in range(1000):
        assert keys.find(f"made-up-{number}") is None
        issuer.now += 0.1
    assert issuer.asked == 1 + int(1000 * 0.1 / INTERVAL)


def test_tokens_that_cannot_be_good_never_reach_the_issuer(issuer: Issuer) -> None:
    verifier = TokenVerifier(issuer.keys(), ISSUER, AUDIENCE)
    for bad in ("", "a.b.c", token(algorithm="RS512"), token(headers={"kid": ""})):
        with pytest.raises(TokenRefusedError):
            verifier.verify(bad)
    assert issuer.asked == 0
    assert verifier.verify(token()).subject == "alice"
    assert issuer.asked == 1


def test_an_issuer_that_is_down_is_asked_again_only_after_the_interval(issuer: Issuer) -> None:
    issuer.down = True
    keys = issuer.keys()
    for _ in range(20):
        with pytest.raises(KeysUnavailableError):
            keys.find("rsa-1")
    assert issuer.asked == 1
    issuer.down = False
    issuer.now += INTERVAL
    assert keys.find("rsa-1") is not None
    assert len(issuer.failures) == 1


def test_the_last_keys_outlive_an_outage_but_not_a_long_one(issuer: Issuer) -> None:
    keys = issuer.keys()
    keys.find("rsa-1")
    issuer.down = True
    issuer.now += TTL + STALE - 1
    assert keys.find("rsa-1") is not None
    assert [str(failure) for failure in issuer.failures] == ["the issuer is down"]
    issuer.now += 1
    with pytest.raises(KeysUnavailableError):
        keys.find("rsa-1")


def test_a_broken_key_set_counts_as_an_outage(issuer: Issuer) -> None:
    keys = issuer.keys()
    keys.find("rsa-1")
    issuer.document = "<html>"
    issuer.now += TTL
    assert keys.find("rsa-1") is not None
    assert [type(failure) for failure in issuer.failures] == [KeySetError]


@pytest.mark.parametrize(
    "entry",
    [
        pytest.param({"kty": "oct", "k": "c2VjcmV0", "kid": "x"}, id="a shared secret"),
        pytest.param({**public_jwk(rsa_key("issuer"), "x"), "use": "enc"}, id="for encryption"),
        pytest.param({**public_jwk(rsa_key("issuer"), "x"), "alg": "RS512"}, id="for another algorithm"),
        pytest.param({**public_jwk(rsa_key("issuer"), "x"), "kid": None}, id="without an id"),
        pytest.param({**public_jwk(rsa_key("issuer"), "x"), "kid": ""}, id="with an empty id"),
        pytest.param({**public_jwk(rsa_key("issuer"), "x"), "n": "!!"}, id="with a broken modulus"),
        pytest.param({**public_jwk(ec_key("issuer"), "x"), "x": "AAAA"}, id="off the curve"),
        pytest.param({**public_jwk(ec_key("issuer"), "x"), "crv": ["P-256"]}, id="with a list for a curve"),
        pytest.param(public_jwk(ec_key("wide", ec.SECP384R1), "x"), id="P-384"),
        pytest.param(public_jwk(rsa_key("short", 1024), "x"), id="RSA with 1,024 bits"),
        pytest.param({"kty": "RSA", "kid": "x"}, id="without numbers"),
        pytest.param({"kty": ["RSA"], "kid": "x"}, id="with a list for a type"),
        pytest.param("text", id="no object"),
        pytest.param(None, id="null"),
    ],
)
def test_an_unusable_key_is_passed_over(entry: Any) -> None:
    good = public_jwk(rsa_key("issuer"), "rsa-1")
    assert set(parse_key_set(json.dumps({"keys": [entry, good]}))) == {"rsa-1"}
    with pytest.raises(KeySetError, match="no RSA or P-256 signing key"):
        parse_key_set(json.dumps({"keys": [entry]}))


def test_a_usable_key_says_as_little_as_it_must() -> None:
    bare = public_jwk(rsa_key("issuer"), "rsa-1")
    del bare["use"]
    assert set(parse_key_set(json.dumps({"keys": [bare]}))) == {"rsa-1"}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", "no list"),
        ("{}", "no list"),
        ('{"keys": {}}', "no list"),
        ('{"keys": []}', "no RSA or P-256 signing key"),
        (key_set(public_jwk(rsa_key("issuer"), "x"), public_jwk(ec_key("issuer"), "x")), "same id"),
        (key_set({**RSAAlgorithm.to_jwk(rsa_key("issuer"), as_dict=True), "kid": "x"}), "private key"),
    ],
)
def test_a_key_set_that_cannot_be_used_says_why(text: str, reason: str) -> None:
    with pytest.raises(KeySetError, match=reason):
        parse_key_set(text)


def test_fixed_keys_know_what_they_were_given() -> None:
    keys = FixedKeys(parse_key_set(key_set()))
    assert keys.find("rsa-1") is not None
    assert keys.find("rsa-2") is None
