"""Rule sets in S3: `rules/sets/<version>-<YARA-X version>.…`, and `rules/current.json`, which names the one in use."""

import json
from contextlib import AbstractContextManager
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from waybill.consignments.domain.checks.errors import ChecksUnavailableError, RuleSetInvalidError
from waybill.consignments.domain.checks.rule_set import SUFFIXES, RuleSet, RuleSource, build
from waybill.core.aws.s3 import S3Reader
from waybill.core.aws.s3_faults import ObjectChangedError, ObjectMissingError, translated

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from waybill.consignments.adapters.rule_publications import RulePublications

_CURRENT = "rules/current.json"
_SETS = "rules/sets/"


class S3RuleSets:
    """Stores and finds rule sets in one bucket."""

    def __init__(self, client: "S3Client", bucket: str) -> None:
        self._client = client
        self._reader = S3Reader(client)
        self.bucket = bucket

    def publish(self, rules: RuleSet) -> str:
        """Store `rules`, then make them the ones in use; return the key of the compiled set.

        The key holds both versions, so that a set that is in use is never overwritten by another. Raises as `current`.
        """
        key = f"{_SETS}{rules.version}-{rules.yara}.yarc"
        manifest = json.dumps({**rules.manifest(), "key": key}, indent=2).encode()
        with self._errors(key):
            self._client.put_object(Bucket=self.bucket, Key=key, Body=rules.compiled)
        with self._errors(_CURRENT):
            self._client.put_object(Bucket=self.bucket, Key=_CURRENT, Body=manifest, ContentType="application/json")
        return key

    def current(self, known: RuleSet | None = None) -> RuleSet | None:
        """Return the set in use, which is not read again if it is `known`; None when none was ever published.

        Raises
        ------
        RuleSetInvalidError
            It is damaged, a part of it is missing, or S3 refuses it.
        ChecksUnavailableError
            S3 fails or cannot be reached; or sets were published, and what says which one is in use is missing.
        """
        try:
            manifest = json.loads(self._read(_CURRENT))
            key = str(manifest["key"])
        except ObjectMissingError:
            self._check_never_published()
            return None
        except (ValueError, KeyError, TypeError) as error:
            raise RuleSetInvalidError(
                f"{_CURRENT} in {self.bucket} is not a manifest; build the rules again"
            ) from error
        if known is not None and {**known.manifest(), "key": key} == manifest:
            return known
        try:
            return RuleSet.restore(manifest, self._read(key))
        except ObjectMissingError as error:
            raise RuleSetInvalidError(f"{key} is missing in {self.bucket}; build the rules again") from error

    def _check_never_published(self) -> None:
        """Make sure that nothing was ever published: who has built rules must not be served by those of the project."""
        with self._errors(_SETS):
            found = self._client.list_objects_v2(Bucket=self.bucket, Prefix=_SETS, MaxKeys=1)
        if found.get("Contents"):
            # The first publication has this moment too, so that another attempt may find it.
            raise ChecksUnavailableError(
                f"{_CURRENT} is missing in {self.bucket}, which holds rule sets; build the rules again"
            )

    def _read(self, key: str) -> bytes:
        try:
            with self._errors(key), self._reader.open(self.bucket, key) as found:
                return b"".join(found.chunks())
        except ObjectChangedError as error:
            raise ChecksUnavailableError(f"{key} in {self.bucket} was replaced while it was read") from error

    def _errors(self, key: str) -> AbstractContextManager[None]:
        return translated(ChecksUnavailableError, RuleSetInvalidError, f"{key} in {self.bucket}")


def rules_in_use(sets: S3RuleSets, publications: "RulePublications", known: RuleSet | None) -> RuleSet:
    """Return the rules that were published last, or where none ever were the project's own; `known` as in `current`.

    Raises
    ------
    RuleSetInvalidError
        Rules were published once, and are gone: nothing is scanned by the demonstration instead. Or as `current`.
    ChecksUnavailableError
        As `current`, or the table fails or cannot be reached.
    """
    published = sets.current(known)
    if published is not None:
        return published
    if (version := publications.newest()) is not None:
        raise RuleSetInvalidError(
            f"rules were published (version {version}), and {sets.bucket} holds none any more; build the rules again"
        )
    return shipped()


@cache
def shipped() -> RuleSet:
    """Return the rules that come with the project, compiled here."""
    folder = files("waybill.consignments") / "rules"
    sources = [
        RuleSource(file.name, file.read_text("utf-8"))
        for file in folder.iterdir()
        if any(file.name.endswith(suffix) for suffix in SUFFIXES)
    ]
    rules, skipped = build(sources, {})
    if skipped:
        raise RuleSetInvalidError(f"{skipped[0].name}, which comes with the project, does not compile")
    return rules
