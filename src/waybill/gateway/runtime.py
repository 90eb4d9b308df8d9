"""The authoriser's collaborators, built from the settings once per process."""

from functools import cache

from waybill.core.errors import ConfigurationError
from waybill.core.observability import count, logger
from waybill.core.settings import load
from waybill.gateway.adapters.key_url import https_fetcher
from waybill.gateway.domain.authoriser import Claims, TokenVerifier
from waybill.gateway.domain.key_sets import FetchedKeys, FixedKeys, KeySource, parse_key_set
from waybill.gateway.errors import KeySetError
from waybill.gateway.settings import AuthSettings

SERVICE = "gateway"


@cache
def token_verifier() -> TokenVerifier | None:
    """Return the verifier of the configured issuer's tokens; None when no issuer is configured.

    Raises
    ------
    ConfigurationError
        The settings contradict each other or cannot be used; names the variables.
    """
    settings = load(AuthSettings)
    if settings.closed:
        return None
    claims = Claims(settings.auth_roles_claim, settings.auth_role_prefix, settings.auth_audience_claim)
    return TokenVerifier(_key_source(settings), settings.auth_issuer, settings.auth_audience, claims)


def _key_source(settings: AuthSettings) -> KeySource:
    try:
        if settings.auth_jwks:
            return FixedKeys(parse_key_set(settings.auth_jwks))
        return FetchedKeys(https_fetcher(settings.auth_jwks_url), _fetch_failed)
    except KeySetError as error:
        raise ConfigurationError(f"AUTH_JWKS: {error}") from None
    except ValueError as error:
        raise ConfigurationError(f"AUTH_JWKS_URL: {error}") from None


def _fetch_failed(error: Exception) -> None:
    logger(SERVICE).warning("the issuer's keys could not be fetched", extra={"reason": str(error)})
    count(SERVICE, "KeyFetchesFailed")
