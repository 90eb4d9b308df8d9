"""Models whose validators are built by their first use, also where several threads come first."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event
from typing import Annotated, Any

import pytest
from pydantic import GetCoreSchemaHandler, ValidationError
from pydantic_core import CoreSchema

from waybill.core.frozen_model import FrozenModel

_THREADS = 4


class _Counted:
    """Counts how often a schema is made, and keeps each until others had the time to begin one too."""

    def __init__(self) -> None:
        self.made = 0
        self.another = Event()

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        self.made += 1
        if self.made > 1:
            self.another.set()
        self.another.wait(0.2)
        return handler(source)


def _first_uses(model: type[FrozenModel]) -> Sequence[FrozenModel]:
    barrier = Barrier(_THREADS)

    def used(number: int) -> FrozenModel:
        barrier.wait()
        return model.model_validate({"number": number})

    with ThreadPoolExecutor(_THREADS) as threads:
        return list(threads.map(used, range(_THREADS)))


def test_a_validator_is_built_once_whichever_thread_comes_first() -> None:
    """pydantic's `BaseModel.model_rebuild` says of itself that it is not made for threads (2.13)."""
    counted = _Counted()

    class Numbered(FrozenModel):
        number: Annotated[int, counted]

    assert counted.made == 0
    assert _first_uses(Numbered) == [Numbered(number=number) for number in range(_THREADS)]
    assert counted.made == 1


def test_what_is_wrong_is_told_by_the_first_use_as_by_any() -> None:
    class Numbered(FrozenModel):
        number: int

    for _ in range(2):
        with pytest.raises(ValidationError, match="Numbered\nnumber\n  Input should be a valid integer"):
            Numbered.model_validate({"number": "many"})


def test_annotations_may_name_what_stands_beside_the_model() -> None:
    class Inner(FrozenModel):
        number: int

    class Outer(FrozenModel):
        inner: "Inner"

    assert Outer.model_validate({"inner": {"number": 1}}) == Outer(inner=Inner(number=1))
