"""AuthoriseFunction: the TOKEN authoriser of the REST API.

API Gateway's contract (Developer Guide, "Output from an API Gateway Lambda authorizer"): a policy means yes, or the
response `ACCESS_DENIED`, which the template makes 401 `invalid_token`; the error message `Unauthorized`, to the letter,
means 401, and any other error 500.
"""

from typing import TYPE_CHECKING

from waybill.core.observability import count, instrumented, logger
from waybill.gateway.domain.authoriser import bearer_token, policy, refusal
from waybill.gateway.errors import TokenMissingError, TokenRefusedError
from waybill.gateway.runtime import SERVICE, token_verifier

if TYPE_CHECKING:
    from waybill.gateway.domain.authoriser import AuthoriserAnswer, AuthoriserEvent


class UnauthorizedError(Exception):
    """What API Gateway turns into 401."""

    def __init__(self) -> None:
        super().__init__("Unauthorized")


@instrumented(SERVICE)
def decide(event: "AuthoriserEvent", context: object) -> "AuthoriserAnswer | None":
    """Return the policy for the caller, or None when the request presents no token."""
    try:
        verifier = token_verifier()
        if verifier is None:
            raise TokenRefusedError("no issuer is configured: AUTH_ISSUER is not set")
        principal = verifier.verify(bearer_token(event.get("authorizationToken")))
        answer = policy(principal, event["methodArn"])
    except TokenRefusedError as error:
        logger(SERVICE).warning("token refused", extra={"reason": str(error)})
        count(SERVICE, "TokensRefused")
        return None if isinstance(error, TokenMissingError) else refusal(event["methodArn"])
    except Exception:
        # Lambda's own error metric also counts the 401s, which leave as errors; the alarm watches this one.
        count(SERVICE, "AuthoriserFaults")
        raise
    return answer


def lambda_handler(event: "AuthoriserEvent", context: object) -> "AuthoriserAnswer":
    """Answer API Gateway's question whether the holder of a token may call the API."""
    answer: AuthoriserAnswer | None = decide(event, context)
    if answer is None:
        raise UnauthorizedError
    return answer
