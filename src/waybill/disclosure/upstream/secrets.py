"""`Credentials` in Secrets Manager: a secret per service, named `<prefix><service>`."""

import json
import re
import time
from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from waybill.core.faults import code_of, is_transient, reason_of
from waybill.disclosure.upstream.codes import Code
from waybill.disclosure.upstream.errors import CredentialsUnavailableError, ServiceError

_KEPT_SECONDS = 300.0
# RFC 6750, 2.1: b64token.
_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]{1,4096}=*")


class ServiceSecrets:
    """Bearer tokens, each read again after five minutes, so that a rotated one is used soon.

    A secret is the token itself, or `{"token": "…"}`. A service without a secret gets no `Authorization` header.
    """

    def __init__(self, client: Any, prefix: str, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._prefix = prefix
        self._monotonic = monotonic
        self._known: dict[str, tuple[float, str | None]] = {}

    def token(self, service: str) -> str | None:
        """Return the bearer token of `service`, None when it has no secret.

        Raises
        ------
        CredentialsUnavailableError
            Secrets Manager throttles, fails or cannot be reached.
        ServiceError
            The secret holds no token, or may not be read. Its content is in no message.
        """
        until, token = self._known.get(service, (0.0, None))
        if self._monotonic() >= until:
            token = self._read(service)
            self._known[service] = (self._monotonic() + _KEPT_SECONDS, token)
        return token

    def _read(self, service: str) -> str | None:
        try:
            answer = self._client.get_secret_value(SecretId=f"{self._prefix}{service}")
        except (ClientError, BotoCoreError) as error:
            if isinstance(error, ClientError) and code_of(error) == "ResourceNotFoundException":
                return None
            if is_transient(error) or reason_of(error) == "InternalServiceError":
                raise CredentialsUnavailableError(f"{reason_of(error)} from Secrets Manager") from None
            raise ServiceError(Code.CREDENTIALS, f"the secret cannot be read: {reason_of(error)}") from None
        token = _token_in(str(answer.get("SecretString", "")))
        if not _TOKEN.fullmatch(token):
            raise ServiceError(Code.CREDENTIALS, "the secret holds no bearer token")
        return token


def _token_in(text: str) -> str:
    stripped = text.strip()
    if not stripped.startswith("{"):
        return stripped
    try:
        found = json.loads(stripped)
    except ValueError:
        return ""
    token = found.get("token")
    return token.strip() if isinstance(token, str) else ""
