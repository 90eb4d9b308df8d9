"""The base of every model."""

from pydantic import BaseModel, ConfigDict


class FrozenModel(BaseModel):
    """A model that nothing changes, whose validator is built by its first use and not at import.

    A function imports many models and uses few: building all of them was a tenth of a cold start.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)
