"""The keyed hash of what is sealed is HMAC with SHA-256, whatever the key and the text."""

import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waybill.custody.domain.sealed_form import Keys, mac_of

MOMENT = "2026-11-29T12:00:00.000Z"


class OneKey(Keys):
    """The same key for every day."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def key(self, purpose: str) -> bytes:
        assert purpose == MOMENT[:10]
        return self._key


# RFC 4231, sections 4.2, 4.3 and 4.7: a short key, a text longer than the key, a key longer than a block.
@pytest.mark.parametrize(
    ("key", "text", "mac"),
    [
        (b"\x0b" * 20, "Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
        (
            b"Jefe",
            "what do ya want for nothing?",
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        ),
        (
            b"\xaa" * 131,
            "Test Using Larger Than Block-Size Key - Hash Key First",
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
        ),
    ],
)
def test_the_keyed_hash_is_that_of_the_rfc(key: bytes, text: str, mac: str) -> None:
    assert mac_of(text, MOMENT, OneKey(key)) == mac


@given(st.binary(max_size=200), st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=300))
def test_it_is_what_the_library_makes_of_it(key: bytes, text: str) -> None:
    assert mac_of(text, MOMENT, OneKey(key)) == hmac.digest(key, text.encode(), "sha256").hex()
