"""Whose tokens the API accepts."""

from typing import Self

from pydantic import model_validator

from waybill.core.settings import WaybillSettings


class ClaimSettings(WaybillSettings):
    """Whose tokens give roles, and by which claim."""

    auth_issuer: str = ""
    auth_roles_claim: str = "roles"
    auth_role_prefix: str = ""


class AuthSettings(ClaimSettings):
    """The issuer of the tokens, and where its public keys are: inline, or at an HTTPS URL.

    Providers name their claims differently: `auth_roles_claim` is the claim, or the dotted path to it, that alone gives
    roles, `auth_role_prefix` is stripped from their names where it is there, and `auth_audience_claim` is looked at in
    place of `aud` (Cognito's access tokens have `client_id`).

    With none of the variables set the API is closed: it refuses every token.
    """

    auth_audience: str = ""
    auth_audience_claim: str = "aud"
    auth_jwks: str = ""
    auth_jwks_url: str = ""

    @property
    def closed(self) -> bool:
        """Whether nothing is configured."""
        return not (self.auth_issuer or self.auth_audience or self.auth_jwks or self.auth_jwks_url)

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.closed:
            return self
        if not self.auth_issuer or not self.auth_audience:
            raise ValueError("AUTH_ISSUER and AUTH_AUDIENCE must both be set")
        if bool(self.auth_jwks) == bool(self.auth_jwks_url):
            raise ValueError("exactly one of AUTH_JWKS and AUTH_JWKS_URL must be set")
        return self
