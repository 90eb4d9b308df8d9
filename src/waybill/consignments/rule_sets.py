"""Rule sets in S3: `rules/sets/<version>-<YARA-X version>.…`, and `rules/current.json`, which names the one in use."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.resources import files
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from waybill.consignments.checking.errors import ChecksUnavailableError, RuleSetInvalidError
from waybill.consignments.checking.rule_set import SUFFIXES, RuleSet, Source, build
from waybill.core.faults import is_transient, reason_of

_CURRENT = "rules/current.json"
_MISSING = frozenset({"NoSuchKey", "404"})


class S3RuleSets:
    """Stores and finds rule sets in one bucket."""

    def __init__(self, client: Any, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def publish(self, rules: RuleSet) -> str:
        """Store `rules`, then make them the ones in use; return the key of the compiled set.

        The key holds both versions, so that a set that is in use is never overwritten by another. Raises as `current`.
        """
        key = f"rules/sets/{rules.version}-{rules.yara}.yarc"
        with self._errors("stored"):
            self._client.put_object(Bucket=self._bucket, Key=key, Body=rules.compiled)
            manifest = json.dumps({**rules.manifest(), "key": key}, indent=2).encode()
            self._client.put_object(Bucket=self._bucket, Key=_CURRENT, Body=manifest, ContentType="application/json")
        return key

    def current(self, known: RuleSet | None = None) -> RuleSet | None:
        """Return the set in use, which is not read again if it is `known`; None when none was ever published.

        Raises
        ------
        RuleSetInvalidError
            It is damaged, a part of it is missing, or S3 refuses it.
        ChecksUnavailableError
            S3 fails or cannot be reached.
        """
        try:
            with self._errors(f"read ({_CURRENT})"):
                text = self._read(_CURRENT)
        except _Missing:
            return None
        try:
            manifest = json.loads(text)
            key = str(manifest["key"])
            if known is not None and {**known.manifest(), "key": key} == manifest:
                return known
        except (ValueError, KeyError, TypeError) as error:
            raise RuleSetInvalidError(
                f"{_CURRENT} in {self._bucket} is not a manifest; build the rules again"
            ) from error
        try:
            with self._errors(f"read ({key})"):
                return RuleSet.restore(manifest, self._read(key))
        except _Missing as error:
            raise RuleSetInvalidError(f"{key} is missing in {self._bucket}; build the rules again") from error

    def _read(self, key: str) -> bytes:
        return bytes(self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read())

    @contextmanager
    def _errors(self, what: str) -> Iterator[None]:
        try:
            yield
        except (ClientError, BotoCoreError) as error:
            if isinstance(error, ClientError) and reason_of(error) in _MISSING:
                raise _Missing from error
            if isinstance(error, BotoCoreError) or is_transient(error):
                raise ChecksUnavailableError(f"{reason_of(error)} while rules are {what}") from error
            raise RuleSetInvalidError(f"the rule set cannot be {what} in {self._bucket}: {reason_of(error)}") from error


class _Missing(Exception):
    """There is no such object."""


@cache
def shipped() -> RuleSet:
    """Return the rules that come with the project, compiled here."""
    folder = files("waybill.consignments") / "rules"
    sources = [
        Source(file.name, file.read_text("utf-8"))
        for file in folder.iterdir()
        if any(file.name.endswith(suffix) for suffix in SUFFIXES)
    ]
    rules, skipped = build(sources, {})
    if skipped:
        raise RuleSetInvalidError(f"{skipped[0].name}, which comes with the project, does not compile")
    return rules
