"""Signature sets in S3: `rules/signatures/<version>.sig`, and `rules/signatures.json`, which names the one in use."""

import json
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from waybill.consignments.domain.checks.errors import ChecksUnavailableError, RuleSetInvalidError
from waybill.consignments.domain.checks.signature_set import SignatureSet
from waybill.core.aws.s3 import S3Reader
from waybill.core.aws.s3_faults import ObjectChangedError, ObjectMissingError, translated

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_CURRENT = "rules/signatures.json"


class S3SignatureSets:
    """Stores and finds signature sets in one bucket."""

    def __init__(self, client: "S3Client", bucket: str) -> None:
        self._client = client
        self._reader = S3Reader(client)
        self._bucket = bucket

    def publish(self, made: SignatureSet) -> str:
        """Store a set, then make it the one in use; return its key."""
        key = _key(made.version)
        with self._errors(key):
            self._client.put_object(Bucket=self._bucket, Key=key, Body=made.content)
        manifest = json.dumps(made.manifest(), indent=2).encode()
        with self._errors(_CURRENT):
            self._client.put_object(Bucket=self._bucket, Key=_CURRENT, Body=manifest, ContentType="application/json")
        return key

    def current(self, known: SignatureSet | None = None) -> SignatureSet | None:
        """Return the set in use, which is not read again if it is `known`; None where the program's own are used.

        Raises
        ------
        RuleSetInvalidError
            It is damaged, a part of it is missing, or S3 refuses it.
        ChecksUnavailableError
            S3 fails or cannot be reached.
        """
        try:
            manifest = json.loads(self._read(_CURRENT))
        except ObjectMissingError:
            return None
        except ValueError as error:
            raise RuleSetInvalidError(f"{_CURRENT} is not a manifest; update the signatures again") from error
        if known is not None and known.manifest() == manifest:
            return known
        try:
            return SignatureSet.restore(manifest, self._read(_key(str(manifest.get("version")))))
        except ObjectMissingError as error:
            raise RuleSetInvalidError("the signatures in use are missing; update them again") from error

    def _read(self, key: str) -> bytes:
        try:
            with self._errors(key), self._reader.open(self._bucket, key) as found:
                return b"".join(found.chunks())
        except ObjectChangedError as error:
            raise ChecksUnavailableError(f"{key} in {self._bucket} was replaced while it was read") from error

    def _errors(self, key: str) -> AbstractContextManager[None]:
        return translated(ChecksUnavailableError, RuleSetInvalidError, f"{key} in {self._bucket}")


def _key(version: str) -> str:
    return f"rules/signatures/{version}.sig"
