"""boto3 clients that tests use one after another: making one takes longer than most of what tests ask of it."""

import os
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import boto3
import botocore.session
import pytest
from botocore.retries.quota import RetryQuota
from botocore.utils import S3RegionRedirectorv2

type Key = tuple[object, ...]


@dataclass
class _Lent:
    """A client, and how it was when it was made."""

    key: Key
    client: Any
    attributes: dict[str, Any]
    handlers: Any

    def is_as_it_was(self) -> bool:
        """Whether nothing listens to it that did not before: each change of the listeners begins another cache."""
        return _cache_of_listeners(self.client) is self.handlers

    def restore(self) -> None:
        """Take away what a test has put in place of methods."""
        vars(self.client).clear()
        vars(self.client).update(self.attributes)


@dataclass
class SharedClients:
    """The clients of one session. Within a test each call gives another client, and the next test begins with them.

    A client that something else listens to now, or that has learnt where a bucket lies, is used once.
    """

    session: boto3.Session
    _free: dict[Key, list[_Lent]] = field(default_factory=lambda: defaultdict(list))
    _lent: list[_Lent] | None = None
    _spent: set[RetryQuota] = field(default_factory=set)
    _moved: set[int] = field(default_factory=set)

    def install(self, patched: pytest.MonkeyPatch) -> None:
        """Let the session give its clients from here."""
        patched.setattr(botocore.session.Session, "create_client", self._giving(botocore.session.Session.create_client))
        patched.setattr(RetryQuota, "acquire", self._noting_quotas(RetryQuota.acquire))
        region = S3RegionRedirectorv2.get_bucket_region

        def learnt(redirector: Any, *values: Any) -> Any:
            self._moved.add(id(redirector._client.meta))
            return region(redirector, *values)

        patched.setattr(S3RegionRedirectorv2, "get_bucket_region", learnt)

    @contextmanager
    def for_one_test(self) -> Iterator[None]:
        """Lend clients meanwhile, and take them back."""
        self._lent = []
        try:
            yield
        finally:
            for lent in self._lent:
                lent.restore()
                if lent.is_as_it_was() and id(lent.client.meta) not in self._moved:
                    self._free[lent.key].append(lent)
            for quota in self._spent:
                quota.release(RetryQuota.INITIAL_CAPACITY)
            self._lent = None
            self._spent.clear()
            self._moved.clear()

    def _giving(self, make: Callable[..., Any]) -> Callable[..., Any]:
        def create_client(session: Any, service: str, *more: Any, **options: Any) -> Any:
            if session is not self.session._session or more or self._lent is None:
                return make(session, service, *more, **options)
            key = _key(service, options)
            free = self._free[key]
            if free:
                lent = free.pop()
            else:
                client = make(session, service, **options)
                lent = _Lent(key, client, dict(vars(client)), _cache_of_listeners(client))
            self._lent.append(lent)
            return lent.client

        return create_client

    def _noting_quotas(self, acquire: Callable[[RetryQuota, int], bool]) -> Callable[[RetryQuota, int], bool]:
        def acquired(quota: RetryQuota, amount: int) -> bool:
            self._spent.add(quota)
            return acquire(quota, amount)

        return acquired


def _key(service: str, options: dict[str, Any]) -> Key:
    """What a client is made from: the arguments, and the variables that botocore reads."""
    given = {name: value for name, value in options.items() if value is not None}
    config = given.pop("config", None)
    of_config = sorted((config._user_provided_options if config else {}).items())
    variables = sorted((name, value) for name, value in os.environ.items() if name.startswith("AWS_"))
    return (service, repr(sorted(given.items())), repr(of_config), repr(variables))


def _cache_of_listeners(client: Any) -> Any:
    return client.meta.events._emitter._lookup_cache
