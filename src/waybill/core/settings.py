"""Settings from the environment, read on first use and never at import."""

from functools import cache

from pydantic import ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from waybill.core.errors import ConfigurationError


class WaybillSettings(BaseSettings):
    """Base of every settings class: frozen, read from environment variables named as the fields, in upper case."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)


class ObservabilitySettings(WaybillSettings):
    """What logs, traces and metrics need; everything has a default, so that a function always logs."""

    log_level: str = "INFO"
    stage: str = "dev"


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
        return settings_class()
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(str(part) for part in problem['loc']).upper() or settings_class.__name__}: {problem['msg']}"
            for problem in error.errors(include_input=False)
        )
        raise ConfigurationError(f"environment variables of this function: {problems}") from None
