"""Settings from the environment, read on first use and never at import."""

import os
from functools import cache
from typing import Annotated

from pydantic import BeforeValidator, ConfigDict, ValidationError

from waybill.core.errors import ConfigurationError
from waybill.core.frozen_model import FrozenModel


def _names(value: object) -> object:
    return tuple(name.strip() for name in value.split(",") if name.strip()) if isinstance(value, str) else value


type Names = Annotated[tuple[str, ...], BeforeValidator(_names)]


class WaybillSettings(FrozenModel):
    """Base of every settings class: frozen, read from environment variables named as the fields, in upper case.

    A variable is text, and an empty one is not set; a field of another type than a number, a truth value or text has a
    validator that reads the text.
    """

    model_config = ConfigDict(extra="ignore")


class ObservabilitySettings(WaybillSettings):
    """What logs, traces and metrics need; everything has a default, so that a function always logs."""

    log_level: str = "INFO"
    stage: str = "dev"
    stack_name: str = "waybill"


class NotificationSettings(WaybillSettings):
    """Where failures are told."""

    failure_topic_arn: str


@cache
def load[S: WaybillSettings](settings_class: type[S]) -> S:
    """Return the one instance of `settings_class`, validated on the first call in this process.

    Raises
    ------
    ConfigurationError
        A variable is missing or unusable; names each one, never its value.
    """
    try:
        named = {name: os.environ.get(name.upper()) for name in settings_class.model_fields}
        return settings_class.model_validate({name: text for name, text in named.items() if text})
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(str(part) for part in problem['loc']).upper() or settings_class.__name__}: {problem['msg']}"
            for problem in error.errors(include_input=False)
        )
        raise ConfigurationError(f"environment variables of this function: {problems}") from None
