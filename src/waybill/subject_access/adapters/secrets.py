"""`Credentials` in Secrets Manager: a secret per service, named `<prefix><service>`."""

import json
import re
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from waybill.core.aws.faults import code_of, is_transient, reason_of
from waybill.subject_access.domain.origins import origin_of
from waybill.subject_access.domain.upstream.codes import Code
from waybill.subject_access.domain.upstream.errors import CredentialsUnavailableError, ServiceError
from waybill.subject_access.domain.upstream.ports import Credential
from waybill.subject_access.domain.upstream.token_endpoint import Client, Grant

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

_KEPT_SECONDS = 300.0
_SPARE_SECONDS = 60.0
# RFC 6750, 2.1: b64token.
_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]{1,4096}=*")


class ServiceSecrets:
    """Bearer tokens, each read again after five minutes, so that a rotated one is used soon.

    A secret is the token itself, `{"token": "…"}`, or `{"tokenUrl", "clientId", "clientSecret"}`, with which `exchange`
    gets one; an object may name the `origin` that it is for. A service without a secret gets no `Authorization` header.
    """

    def __init__(
        self,
        client: "SecretsManagerClient",
        prefix: str,
        exchange: Callable[[Client], Grant],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._prefix = prefix
        self._exchange = exchange
        self._monotonic = monotonic
        self._known: dict[str, tuple[float, Credential | None]] = {}

    def credential(self, service: str) -> Credential | None:
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
            token, life = self._read(service)
            self._known[service] = (self._monotonic() + min(life, _KEPT_SECONDS), token)
        return token

    def _read(self, service: str) -> tuple[Credential | None, float]:
        """Return the token, and for how many seconds it may be kept."""
        try:
            answer = self._client.get_secret_value(SecretId=f"{self._prefix}{service}")
        except (ClientError, BotoCoreError) as error:
            if isinstance(error, ClientError) and code_of(error) == "ResourceNotFoundException":
                return None, _KEPT_SECONDS
            if is_transient(error) or reason_of(error) == "InternalServiceError":
                raise CredentialsUnavailableError(f"{reason_of(error)} from Secrets Manager") from None
            raise ServiceError(Code.CREDENTIALS, f"the secret cannot be read: {reason_of(error)}") from None
        text = str(answer.get("SecretString", ""))
        held = _held(text)
        # One that ends while it is on its way is no use.
        granted = self._exchange(held) if isinstance(held, Client) else Grant(held, _KEPT_SECONDS + _SPARE_SECONDS)
        if not _TOKEN.fullmatch(granted.token):
            raise ServiceError(Code.CREDENTIALS, "the secret holds no bearer token")
        return Credential(granted.token, _origin(text)), max(0.0, granted.seconds - _SPARE_SECONDS)


def _origin(text: str) -> str | None:
    """Return the origin that a secret names; an unusable one is that of nothing, so that the token goes nowhere."""
    try:
        found = json.loads(text)
    except ValueError:
        return None
    if not isinstance(found, dict) or "origin" not in found:
        return None
    return origin_of(str(found["origin"])) or "none"


def _held(text: str) -> str | Client:
    """Return the token that a secret holds, empty when it holds none, or what a token can be had with."""
    stripped = text.strip()
    if not stripped.startswith("{"):
        return stripped
    try:
        found = json.loads(stripped)
    except ValueError:
        return ""
    match found:
        case {"tokenUrl": str(url), "clientId": str(client_id), "clientSecret": str(secret)}:
            return Client(url, client_id, secret)
        case {"token": str(token)}:
            return token.strip()
    return ""
