"""Bearer tokens from an authorisation server: the client credentials grant (RFC 6749, 4.4)."""

import base64
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from waybill.subject_access.domain.upstream.codes import Code
from waybill.subject_access.domain.upstream.errors import ServiceError
from waybill.subject_access.domain.upstream.ports import Reply, Web

_ANSWER_BYTES = 65_536
_SECONDS = 20.0
# How long a token counts whose answer does not say.
_DEFAULT_LIFE = 300


@dataclass(frozen=True)
class Client:
    """Who Waybill is to an authorisation server."""

    token_url: str
    client_id: str
    client_secret: str = field(repr=False)


@dataclass(frozen=True)
class Grant:
    """A bearer token, good for `seconds`."""

    token: str = field(repr=False)
    seconds: float


@dataclass(frozen=True)
class TokenEndpoint:
    """Asks authorisation servers; their hosts have to be on the list, as those of the services."""

    web: Web
    monotonic: Callable[[], float] = time.monotonic

    def grant(self, client: Client) -> Grant:
        """Return a token.

        Raises
        ------
        ServiceError
            There is none, for whatever reason; the message holds nothing of the answer.
        """
        # RFC 6749, 2.3.1: both are form-encoded before they are joined.
        joined = f"{quote(client.client_id, safe='')}:{quote(client.client_secret, safe='')}"
        headers = {
            "Authorization": f"Basic {base64.b64encode(joined.encode()).decode()}",
            "Accept": "application/json",
        }
        form = {"grant_type": "client_credentials"}
        by = self.monotonic() + _SECONDS
        try:
            with self.web.post(client.token_url, form=form, headers=headers, deadline=by) as reply:
                return _granted(reply)
        except ServiceError as error:
            if error.code is Code.CREDENTIALS:
                raise
            raise ServiceError(Code.CREDENTIALS, f"the token address gives no token: {error}") from None


def _granted(reply: Reply) -> Grant:
    if reply.status != 200:
        raise ServiceError(Code.CREDENTIALS, f"the token address answers with status {reply.status}")
    body = b""
    for chunk in reply.chunks:
        body += chunk
        if len(body) > _ANSWER_BYTES:
            raise ServiceError(Code.CREDENTIALS, "the answer of the token address is too large")
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        told = None
    match told:
        case {"access_token": str(token), **more}:
            life: Any = more.get("expires_in")
            usable = isinstance(life, int | float) and not isinstance(life, bool) and life > 0
            return Grant(token, float(life) if usable else _DEFAULT_LIFE)
    raise ServiceError(Code.CREDENTIALS, "the answer of the token address holds no token")
