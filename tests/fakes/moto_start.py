"""moto's start at less cost: for each test it wrote down a thousand addresses for the library requests again."""

from typing import Any

import pytest
from moto.core.models import MockAWS, botocore_stubber, responses_mock


def cheaper_start(patched: pytest.MonkeyPatch) -> None:
    """Write down the addresses once, and again after something has asked one of them."""
    written: list[Any] = []
    enable, disable = MockAWS._enable_patching, MockAWS._disable_patching

    def enabled(mock: MockAWS, reset: bool = True) -> None:
        if not written:
            enable(mock, reset)
            written.extend(responses_mock.registered())
            return
        botocore_stubber.enabled = True
        if reset:
            mock.reset()
        responses_mock.start()
        responses_mock._registry._responses = list(written)

    def disabled(mock: MockAWS, remove_data: bool) -> None:
        if responses_mock.calls:
            written.clear()
        disable(mock, remove_data)

    patched.setattr(MockAWS, "_enable_patching", enabled)
    patched.setattr(MockAWS, "_disable_patching", disabled)
