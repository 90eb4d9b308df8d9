import hashlib
import hmac
import time
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.issuer import (
    AUDIENCE,
    ISSUER,
    claims,
    ec_key,
    key_set,
    public_jwk,
    public_pem,
    rsa_key,
    segment,
    token,
)
from waybill.core.roles import Role
from waybill.gateway.domain.authoriser import Claims, Principal, TokenVerifier, bearer_token, policy, refusal
from waybill.gateway.domain.key_sets import FixedKeys, parse_key_set
from waybill.gateway.errors import TokenRefusedError

ARN = "arn:aws:execute-api:eu-west-1:123456789012:abc123/prod/GET/replications"
NOW = int(time.time())
HOUR = 3600  # longer than any run of the tests: NOW is when they were collected


@pytest.fixture
def verifier() -> TokenVerifier:
    return TokenVerifier(FixedKeys(parse_key_set(key_set())), ISSUER, AUDIENCE)


def hand_made(header: dict[str, Any], signature: bytes = b"", **changes: Any) -> str:
    return ".".join([segment(header), segment(claims(**changes)), segment(signature)])


def hmac_with_public_key() -> str:
    # PyJWT refuses to sign with a PEM key, so the forger does it by hand.
    signed = f"{segment({'alg': 'HS256', 'kid': 'rsa-1'})}.{segment(claims(roles=['admin']))}"
    digest = hmac.new(public_pem(rsa_key("issuer")), signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{segment(digest)}"


def tampered() -> str:
    header, _, signature = token().split(".")
    return ".".join([header, segment(claims(roles=["admin"])), signature])


@pytest.mark.parametrize("changes", [{}, {"aud": ["other", AUDIENCE]}, {"nbf": NOW - 5}, {"iat": NOW + 5}])
def test_a_good_token_proves_its_holder(verifier: TokenVerifier, changes: dict[str, Any]) -> None:
    principal = verifier.verify(token(exp=NOW + HOUR, **changes))
    assert principal == Principal("alice", frozenset({Role.REPLICATION}), NOW + HOUR)


@pytest.mark.parametrize(("claim", "rehearsal"), [(True, True), ("true", False), (1, False), (None, False)])
def test_a_rehearsal_is_the_claim_true_and_nothing_like_it(
    verifier: TokenVerifier, claim: object, rehearsal: bool
) -> None:
    principal = verifier.verify(token(exp=NOW + HOUR, rehearsal=claim))
    assert principal.rehearsal is rehearsal
    assert policy(principal, ARN)["context"].get("rehearsal") == ("true" if rehearsal else None)


def test_both_algorithms_are_taken(verifier: TokenVerifier) -> None:
    signed = token(key=ec_key("issuer"), algorithm="ES256", headers={"kid": "ec-1"})
    assert verifier.verify(signed).subject == "alice"


@pytest.mark.parametrize(
    ("roles", "known"),
    [
        ([], set()),
        (..., set()),
        (["nobody", "Replication", "replication "], set()),
        (["sar-user", "x admin", "replication,admin"], {Role.SAR_USER}),
        (["admin", "admin"], {Role.ADMIN}),
        # One string with blanks too; what is no name gives no role, and never an exception.
        ("admin", {Role.ADMIN}),
        ("openid scanning", {Role.SCANNING}),
        ("xadmin", set()),
        ({"admin": True}, set()),
        ([1], set()),
        ([["admin"]], set()),
        (None, set()),
    ],
)
def test_only_waybills_own_roles_count(verifier: TokenVerifier, roles: Any, known: set[Role]) -> None:
    assert verifier.verify(token(roles=roles)).roles == known


ATTACKS = {
    "empty": lambda: "",
    "garbage": lambda: "garbage",
    "three garbage parts": lambda: "a.b.c",
    "two parts": lambda: ".".join(token().split(".")[:2]),
    "four parts": lambda: token() + ".x",
    "header is not an object": lambda: f"{segment([])}.{segment(claims())}.x",
    "header is not UTF-8": lambda: f"{segment(b'\xff')}.{segment(claims())}.x",
    "header nested deeply": lambda: f"{segment(b'[' * 5000)}.{segment(claims())}.x",
    "alg none": lambda: hand_made({"alg": "none", "kid": "rsa-1"}),
    "alg None, any case": lambda: hand_made({"alg": "NoNe", "kid": "rsa-1"}),
    "alg missing": lambda: hand_made({"kid": "rsa-1"}),
    "alg is a list": lambda: hand_made({"alg": ["RS256"], "kid": "rsa-1"}),
    "HS256 with the public key as the secret": hmac_with_public_key,
    "HS256 with a guessed secret": lambda: token(key="x" * 32, algorithm="HS256"),
    "RS512 of the right key": lambda: token(algorithm="RS512"),
    "PS256 of the right key": lambda: token(algorithm="PS256"),
    "RS256 by another key under a known key id": lambda: token(key=rsa_key("other")),
    "ES256 under the RSA key's id": lambda: token(key=ec_key("issuer"), algorithm="ES256"),
    "RS256 under the EC key's id": lambda: token(headers={"kid": "ec-1"}),
    "no key id": lambda: token(headers={"kid": ...}),
    "empty key id": lambda: token(headers={"kid": ""}),
    "key id is a number": lambda: hand_made({"alg": "RS256", "kid": 7}, b"x"),
    "key id is a path": lambda: token(headers={"kid": "../../dev/null"}),
    "unknown key id": lambda: token(headers={"kid": "rsa-2"}),
    "own key in the header": lambda: token(
        key=rsa_key("other"), headers={"jwk": public_jwk(rsa_key("other"), "rsa-1")}
    ),
    "own key set in the header": lambda: token(key=rsa_key("other"), headers={"jku": "https://attacker.example/keys"}),
    "unknown critical header": lambda: token(headers={"crit": ["x"], "x": 1}),
    "payload without encoding": lambda: hand_made({"alg": "RS256", "kid": "rsa-1", "b64": False}, b"x"),
    "changed after signing": tampered,
    "signature cut off": lambda: token().rpartition(".")[0] + ".",
    "signature of zeros": lambda: (
        token(key=ec_key("issuer"), algorithm="ES256", headers={"kid": "ec-1"}).rpartition(".")[0]
        + "."
        + segment(bytes(64))
    ),
    "expired": lambda: token(iat=NOW - 60, exp=NOW - 1),
    "expired at this second": lambda: token(iat=NOW - 60, exp=int(time.time())),
    "not valid yet": lambda: token(nbf=NOW + HOUR),
    "issued in the future": lambda: token(iat=NOW + HOUR),
    "expires before it was issued": lambda: token(iat=NOW + 8, exp=NOW + 7),
    "another issuer": lambda: token(iss="https://attacker.example"),
    "issuer with a slash": lambda: token(iss=ISSUER + "/"),
    "issuer in a list": lambda: token(iss=[ISSUER]),
    "another audience": lambda: token(aud="other"),
    "audience in part": lambda: token(aud=AUDIENCE[:-1]),
    "audience in an object": lambda: token(aud={AUDIENCE: 1}),
    "no exp": lambda: token(exp=...),
    "no iat": lambda: token(iat=...),
    "no iss": lambda: token(iss=...),
    "no aud": lambda: token(aud=...),
    "no sub": lambda: token(sub=...),
    "exp is text": lambda: token(exp="tomorrow"),
    "exp is a list": lambda: token(exp=[NOW + HOUR]),
    "exp is endless": lambda: token(exp=float("inf")),
    "nbf is null": lambda: token(nbf=None),
    "sub is empty": lambda: token(sub=""),
    "sub is a number": lambda: token(sub=7),
    "sub with a line break": lambda: token(sub="alice\nadmin"),
    "sub is huge": lambda: token(sub="a" * 257),
    "claims are a list": lambda: jwt.api_jws.encode(
        b"[]", rsa_key("issuer"), algorithm="RS256", headers={"kid": "rsa-1"}
    ),
}


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS.keys())
def test_a_bad_token_is_refused_and_not_quoted(verifier: TokenVerifier, attack: Any) -> None:
    bad = attack()
    with pytest.raises(TokenRefusedError) as caught:
        verifier.verify(bad)
    assert str(caught.value)
    assert all(part not in str(caught.value) for part in bad.split(".") if len(part) > 8)


def test_a_p384_key_cannot_pass_for_es256() -> None:
    key = ec_key("wide", ec.SECP384R1)
    keys = parse_key_set(key_set(public_jwk(key, "ec-3"), public_jwk(rsa_key("issuer"), "rsa-1")))
    signed = token(key=key, algorithm="ES384", headers={"kid": "ec-3"})
    with pytest.raises(TokenRefusedError):
        TokenVerifier(FixedKeys(keys), ISSUER, AUDIENCE).verify(signed)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=4,
)


@given(st.dictionaries(st.sampled_from(["iss", "aud", "sub", "iat", "exp", "nbf", "jti", "roles"]), _JSON))
def test_no_signed_claims_make_the_verifier_fail(changes: dict[str, Any]) -> None:
    verifier = TokenVerifier(FixedKeys(parse_key_set(key_set())), ISSUER, AUDIENCE)
    try:
        principal = verifier.verify(token(**changes))
    except TokenRefusedError:
        return
    assert set(principal.roles) <= set(Role)
    assert principal.expires_at > time.time()


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
@pytest.mark.parametrize("between", [" ", "   "])
def test_the_scheme_is_read_in_any_case(scheme: str, between: str) -> None:
    assert bearer_token(f"{scheme}{between}aa.bb-_.cc=") == "aa.bb-_.cc="


@pytest.mark.parametrize(
    "header",
    [
        None,
        7,
        "",
        "Bearer",
        "Bearer ",
        "Bearer a b",
        "aa.bb.cc",
        "Basic YTpi",
        "BearerToken aa",
        "Bearer aa\nX: y",
        "Bearer " + "a" * 11_000,
        "Bearer é",
    ],
)
def test_a_header_without_a_bearer_token_is_refused(header: object) -> None:
    with pytest.raises(TokenRefusedError):
        bearer_token(header)


def test_the_policy_allows_the_whole_stage_and_passes_strings_on() -> None:
    principal = Principal("alice", frozenset({Role.SAR_USER, Role.REPLICATION}), 1_900_000_000)
    assert policy(principal, ARN) == {
        "principalId": "alice",
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Action": "execute-api:Invoke",
                    "Effect": "Allow",
                    "Resource": "arn:aws:execute-api:eu-west-1:123456789012:abc123/prod/*",
                }
            ],
        },
        "context": {"subject": "alice", "roles": "replication sar-user", "expiresAt": "1900000000"},
    }


def test_a_principal_without_a_role_is_left_to_the_routes() -> None:
    answer = policy(Principal("alice", frozenset(), 1), ARN)
    assert answer["policyDocument"]["Statement"][0]["Effect"] == "Allow"
    assert answer["context"]["roles"] == ""


def test_a_bad_token_is_denied_the_whole_stage() -> None:
    [statement] = refusal(ARN)["policyDocument"]["Statement"]
    assert (statement["Effect"], statement["Resource"].rpartition(":")[2]) == ("Deny", "abc123/prod/*")


def reading(**names: str) -> TokenVerifier:
    return TokenVerifier(FixedKeys(parse_key_set(key_set())), ISSUER, AUDIENCE, Claims(**names))


@pytest.mark.parametrize(
    ("names", "changes", "known"),
    [
        # Shapes of the providers: docs/identity-providers.md and the documentation that it names.
        ({"roles": "cognito:groups"}, {"cognito:groups": ["scanning"]}, {Role.SCANNING}),
        ({"roles": "realm_access.roles"}, {"realm_access": {"roles": ["minting", "offline"]}}, {Role.MINTING}),
        (
            {"roles": "groups", "role_prefix": "waybill-"},
            {"groups": ["waybill-admin", "minting"]},
            {Role.ADMIN, Role.MINTING},
        ),
        ({"roles": "scope"}, {"scope": "openid scanning"}, {Role.SCANNING}),
        ({"roles": "https://example.org/roles"}, {"https://example.org/roles": ["minting"]}, {Role.MINTING}),
        ({"roles": "a.b"}, {"a.b": ["minting"], "a": {"b": ["admin"]}}, {Role.MINTING}),
        ({"roles": "groups"}, {"roles": ["admin"]}, set()),
        ({"roles": "a.b.c"}, {"a": {"b": 5}}, set()),
        ({"roles": "a.b.c"}, {"a": None}, set()),
        ({"roles": "a.b.c"}, {"a": {"b": {"c": 7}}}, set()),
    ],
)
def test_only_the_configured_claim_gives_roles(
    names: dict[str, str], changes: dict[str, Any], known: set[Role]
) -> None:
    assert reading(**names).verify(token(**{"roles": ..., **changes})).roles == known


def test_the_audience_may_be_in_another_claim() -> None:
    # Amazon Cognito's access tokens have no `aud`.
    verifier = reading(audience="client_id")
    assert verifier.verify(token(aud=..., client_id=AUDIENCE)).subject == "alice"
    assert verifier.verify(token(aud="other", client_id=AUDIENCE)).subject == "alice"
    for client_id in (..., "other", 5, None, [AUDIENCE], f"{AUDIENCE} "):
        with pytest.raises(TokenRefusedError):
            verifier.verify(token(client_id=client_id))


@pytest.mark.parametrize("arn", ["", "*", "arn:aws:execute-api:eu-west-1:1:abc", "arn:aws:execute-api:x:1:abc/prod"])
def test_an_arn_that_names_no_method_makes_no_policy(arn: str) -> None:
    with pytest.raises(ValueError, match="methodArn"):
        policy(Principal("alice", frozenset({Role.ADMIN}), 1), arn)
