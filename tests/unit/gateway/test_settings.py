import pytest

from tests.fakes.issuer import key_set
from waybill.core.errors import ConfigurationError
from waybill.core.settings import load
from waybill.gateway.settings import AuthSettings

ALL = {
    "AUTH_ISSUER": "https://issuer.example",
    "AUTH_AUDIENCE": "waybill",
    "AUTH_JWKS": key_set(),
    "AUTH_JWKS_URL": "https://issuer.example/keys",
}


def configure(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    for name, value in ALL.items():
        monkeypatch.setenv(name, value if name in names else "")


def test_without_any_variable_the_api_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    configure(monkeypatch)
    assert load(AuthSettings).closed


@pytest.mark.parametrize("source", ["AUTH_JWKS", "AUTH_JWKS_URL"])
def test_either_source_of_keys_will_do(monkeypatch: pytest.MonkeyPatch, source: str) -> None:
    configure(monkeypatch, "AUTH_ISSUER", "AUTH_AUDIENCE", source)
    settings = load(AuthSettings)
    assert not settings.closed
    assert settings.model_dump()[source.lower()] == ALL[source]


@pytest.mark.parametrize(
    ("names", "named"),
    [
        (("AUTH_ISSUER",), "AUTH_ISSUER and AUTH_AUDIENCE"),
        (("AUTH_AUDIENCE", "AUTH_JWKS"), "AUTH_ISSUER and AUTH_AUDIENCE"),
        (("AUTH_JWKS_URL",), "AUTH_ISSUER and AUTH_AUDIENCE"),
        (("AUTH_ISSUER", "AUTH_AUDIENCE"), "AUTH_JWKS and AUTH_JWKS_URL"),
        (tuple(ALL), "AUTH_JWKS and AUTH_JWKS_URL"),
    ],
)
def test_half_a_configuration_is_refused_by_the_names_of_its_variables(
    monkeypatch: pytest.MonkeyPatch, names: tuple[str, ...], named: str
) -> None:
    configure(monkeypatch, *names)
    with pytest.raises(ConfigurationError, match=named) as caught:
        load(AuthSettings)
    assert "issuer.example" not in str(caught.value)
