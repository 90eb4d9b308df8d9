"""The issuer's public keys: reading a JSON Web Key Set (RFC 7517), and keeping one that is fetched."""

import json
import time
from collections.abc import Callable, Mapping
from typing import Protocol

import jwt

from waybill.gateway.errors import KeySetError, KeysUnavailableError

type Keys = Mapping[str, jwt.PyJWK]

# RFC 8725, section 3.1: each key is used with exactly one algorithm, and the key says which, never the token.
_ALGORITHMS = {("RSA", None): "RS256", ("EC", "P-256"): "ES256"}
ALLOWED_ALGORITHMS = tuple(_ALGORITHMS.values())
# NIST SP 800-131A: RSA keys below 2,048 bits are disallowed.
_RSA_MINIMUM_BITS = 2048


class KeySource(Protocol):
    """Knows the keys that the issuer signs with."""

    def find(self, key_id: str) -> jwt.PyJWK | None:
        """Return the public key that has `key_id`; None when the issuer has no such key.

        Raises
        ------
        KeysUnavailableError
            The keys are not to be had now.
        """
        ...


def parse_key_set(text: str) -> Keys:
    """Return the usable signing keys of a JWK Set by key id; keys of other kinds are passed over.

    Raises
    ------
    KeySetError
        It is no JWK Set, has no usable key, two keys with one id, or a private key.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise KeySetError("the key set is not JSON") from None
    entries = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise KeySetError("the key set has no list `keys`")
    keys: dict[str, jwt.PyJWK] = {}
    for entry in entries:
        key_id, key = _usable(entry)
        if key is None:
            continue
        if key_id in keys:
            raise KeySetError("the key set has two keys with the same id")
        keys[key_id] = key
    if not keys:
        raise KeySetError("the key set has no RSA or P-256 signing key with an id")
    return keys


def _usable(entry: object) -> tuple[str, jwt.PyJWK | None]:
    if not isinstance(entry, dict):
        return "", None
    key_id, kind, curve = entry.get("kid"), entry.get("kty"), entry.get("crv")
    algorithm = next((name for kinds, name in _ALGORITHMS.items() if kinds == (kind, curve)), None)
    if not isinstance(key_id, str) or not key_id or algorithm is None:
        return "", None
    if "d" in entry:
        raise KeySetError("the key set holds a private key")
    if entry.get("alg", algorithm) != algorithm or entry.get("use", "sig") != "sig":
        return "", None
    try:
        key = jwt.PyJWK(entry, algorithm)
    except jwt.PyJWTError:
        return "", None
    return key_id, key if kind == "EC" or key.key.key_size >= _RSA_MINIMUM_BITS else None


class FixedKeys:
    """`KeySource` on a key set that never changes."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    def find(self, key_id: str) -> jwt.PyJWK | None:
        """Return the key that has `key_id`, if there is one."""
        return self._keys.get(key_id)


class FetchedKeys:
    """`KeySource` on a key set that is fetched, kept, and fetched again when it is old or lacks a key.

    An unknown key id may mean that the issuer has just changed its keys, or that somebody makes up key ids.
    So it causes one fetch, and no other fetch, for whatever reason, follows within `min_interval`. While the
    issuer cannot be reached, the keys last seen stay good for `max_stale` after their `ttl`.

    Parameters
    ----------
    fetch
        Returns the key set as JSON text; raises KeysUnavailableError.
    on_failure
        Is told why a fetch brought no keys.
    ttl, max_stale, min_interval
        Seconds.
    clock
        Seconds that never go back.
    """

    def __init__(
        self,
        fetch: Callable[[], str],
        on_failure: Callable[[Exception], None],
        *,
        ttl: float = 600,
        max_stale: float = 3600,
        min_interval: float = 30,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._fetch = fetch
        self._on_failure = on_failure
        self._ttl = ttl
        self._max_stale = max_stale
        self._min_interval = min_interval
        self._clock = clock
        self._keys: Keys = {}
        self._fetched_at = float("-inf")
        self._tried_at = float("-inf")

    def find(self, key_id: str) -> jwt.PyJWK | None:
        """Return the key that has `key_id`, fetching the key set where that is due."""
        if self._age() >= self._ttl or key_id not in self._keys:
            self._refresh()
        return self._keys.get(key_id)

    def _age(self) -> float:
        return self._clock() - self._fetched_at

    def _refresh(self) -> None:
        if self._clock() - self._tried_at >= self._min_interval:
            self._tried_at = self._clock()
            try:
                self._keys = parse_key_set(self._fetch())
                self._fetched_at = self._clock()
            except (KeysUnavailableError, KeySetError) as error:
                self._on_failure(error)
        if self._age() >= self._ttl + self._max_stale:
            raise KeysUnavailableError("the issuer's keys could not be fetched")
