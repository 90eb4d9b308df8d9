"""Requests to moto at less cost: it neither looks at signatures, nor does anybody at the ids of its answers."""

import itertools
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.compat import get_current_datetime
from botocore.exceptions import NoCredentialsError
from moto import backend_index
from moto.kms.utils import generate_private_key

# Some 60 other services came first, and most requests are for this one. No other has its addresses.
_MOST = "dynamodb"


def cheaper_requests(patched: pytest.MonkeyPatch) -> None:
    """Name who asks without a signature, number answers, and look among the addresses of DynamoDB first."""
    patched.setattr(SigV4Auth, "add_auth", _unsigned_headers(SigV4Auth.add_auth))
    ids = itertools.count()

    def with_number(headers: dict[str, Any] | None = None) -> str:
        number = f"{next(ids):052}"
        if headers is not None:
            headers["x-amzn-requestid"] = number
        return number

    patched.setattr("moto.core.responses.gen_amzn_requestid_long", with_number)
    # It makes every key one of RSA besides, also those that never sign.
    patched.setattr("moto.kms.models.generate_private_key", _shared_by_kinds_that_do_not_sign(generate_private_key))
    patterns = sorted(backend_index.backend_url_patterns, key=lambda known: known[0] != _MOST)
    patched.setattr(backend_index, "backend_url_patterns", patterns)


def _unsigned_headers(sign: Any) -> Any:
    """Return what signs a request as `sign` does, but for one that is signed in its headers: moto reads no more."""

    def add_auth(signer: Any, request: Any) -> None:
        if type(signer) not in {SigV4Auth, S3SigV4Auth}:  # an address with a signature may be given away
            sign(signer, request)
            return
        if signer.credentials is None:
            raise NoCredentialsError
        request.context["timestamp"] = get_current_datetime().strftime("%Y%m%dT%H%M%SZ")
        signer._modify_request_before_signing(request)
        request.headers["Authorization"] = f"AWS4-HMAC-SHA256 Credential={signer.scope(request)}"

    return add_auth


def _shared_by_kinds_that_do_not_sign(generate: Callable[[str], Any]) -> Callable[[str], Any]:
    shared = cache(generate)
    return lambda kind: generate(kind) if kind.startswith(("RSA", "ECC")) else shared(kind)
