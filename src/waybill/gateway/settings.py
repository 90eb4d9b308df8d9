"""Whose tokens the API accepts."""

from typing import Self

from pydantic import model_validator

from waybill.core.settings import WaybillSettings


class AuthSettings(WaybillSettings):
    """The issuer of the tokens, and where its public keys are: inline, or at an HTTPS URL.

    With none of the variables set the API is closed: it refuses every token.
    """

    auth_issuer: str = ""
    auth_audience: str = ""
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
