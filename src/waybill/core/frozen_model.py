"""The base of every model."""

from threading import RLock
from typing import Any, override

from pydantic import BaseModel, ConfigDict

_BUILDING = RLock()


class FrozenModel(BaseModel):
    """A model that nothing changes, whose validator is built by its first use and not at import.

    A function imports many models and uses few: building all of them was a tenth of a cold start.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    @classmethod
    @override
    def model_rebuild(cls, *, _parent_namespace_depth: int = 2, **settings: Any) -> bool | None:
        """Build the validator, one thread at a time.

        The library's own is not made for threads: one that comes late takes away for a moment what another has built
        and uses already, and a model is then read as the one that it is derived from.
        """
        # One frame more is between the names that annotations may mean and the library, which looks for them.
        with _BUILDING:
            return super().model_rebuild(_parent_namespace_depth=_parent_namespace_depth + 1, **settings)
