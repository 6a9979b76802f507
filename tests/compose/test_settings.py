"""Compose passes every service the settings that it reads, and no others."""

import re
from collections.abc import Mapping

import pytest

from pastelka_coloring.settings import ColoringSettings
from pastelka_common.settings import ServiceSettings
from pastelka_notifier.settings import NotifierSettings
from pastelka_orders.access.startup import startup_errors
from pastelka_orders.photos.download import ProxySettings
from pastelka_orders.settings import OrdersSettings
from pastelka_vectorize.settings import VectorizeSettings
from tests.compose import files

_CLASSES: Mapping[str, type[ServiceSettings]] = {
    "migrate": OrdersSettings,
    "orders-api": OrdersSettings,
    "orders-worker": OrdersSettings,
    "coloring": ColoringSettings,
    "vectorize": VectorizeSettings,
    "notifier": NotifierSettings,
}
_BY_THE_IMAGE = {"HOST", "PORT"}
_FOR_CLUSTERS = {"STREAM_REPLICAS"}
"""Compose has one nats-server; three copies of a stream need three."""
_GIVEN = {
    "POSTGRES_PASSWORD": "p4ssword",
    "NATS_PASSWORD": "0123456789",
    "MERCURE_PUBLISHER_JWT_KEY": "0123456789abcdef0123456789abcdef",
    "MERCURE_SUBSCRIBER_JWT_KEY": "fedcba9876543210fedcba9876543210",
}
_SERVERS = {
    "nats": {"NATS_PASSWORD"},
    "postgres": {"POSTGRES_USER", "POSTGRES_DB", "POSTGRES_PASSWORD", "POSTGRES_INITDB_ARGS"},
    "mercure": {"XDG_CONFIG_HOME", "XDG_DATA_HOME", "GOMEMLIMIT"},
}


def _names(settings: type[ServiceSettings]) -> set[str]:
    """Variables that a settings class reads."""
    names = {name.upper() for name in settings.model_fields}
    if "PROXY" in names:
        names = names - {"PROXY"} | {f"PROXY_1_{part.upper()}" for part in ProxySettings.model_fields}
    return names


def _environment(service: str) -> dict[str, str]:
    """Environment of a service if ``.env`` holds only required values."""
    return {
        name: files.filled(value, _GIVEN)
        for name, value in files.environment(service).items()
        if value is not None
    }


@pytest.mark.parametrize("service", _CLASSES)
def test_every_setting_of_a_service_can_be_set(service: str) -> None:
    expected = _names(_CLASSES[service]) - _BY_THE_IMAGE - _FOR_CLUSTERS

    assert expected - files.environment(service).keys() == set()


@pytest.mark.parametrize("service", _CLASSES)
def test_every_service_gets_only_variables_that_it_reads(service: str) -> None:
    assert files.environment(service).keys() - _names(_CLASSES[service]) == set()


@pytest.mark.parametrize("service", _CLASSES)
def test_every_required_setting_has_a_value(service: str) -> None:
    required = {name.upper() for name, one in _CLASSES[service].model_fields.items() if one.is_required()}

    assert required - _environment(service).keys() == set()


@pytest.mark.parametrize("service", _CLASSES)
def test_services_start_with_the_environment_of_compose(
    service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in _names(_CLASSES[service]):
        monkeypatch.delenv(name, raising=False)
    for name, value in _environment(service).items():
        monkeypatch.setenv(name, value)

    settings = _CLASSES[service].load()

    if isinstance(settings, OrdersSettings):
        assert settings.auth_mode == "password"
        assert startup_errors(settings) == []
    assert settings.shutdown_grace < 45


def test_servers_get_only_variables_that_they_read() -> None:
    caddyfile = (files.ROOT / "deploy" / "mercure" / "Caddyfile").read_text()
    hub = _SERVERS["mercure"] | set(re.findall(r"\{(?:\$|env\.)(MERCURE_[A-Z_]+)", caddyfile))
    gateway = (files.ROOT / "deploy" / "images" / "gateway.Dockerfile").read_text()
    templates = "".join(file.read_text() for file in (files.ROOT / "deploy" / "nginx").glob("*.template"))

    assert files.environment("postgres").keys() == _SERVERS["postgres"]
    assert files.environment("mercure").keys() - hub == set()
    for name in files.environment("gateway"):
        assert f"${{{name}}}" in templates or re.search(rf"\b{name}=", gateway), name
    known = {*_CLASSES, *_SERVERS, "gateway", "nats", "volumes"}
    assert files.services().keys() == known


def test_the_example_lists_exactly_the_variables_of_compose() -> None:
    assert files.example().keys() == files.used_variables()


def test_the_example_explains_every_setting() -> None:
    assert [name for name, one in files.example().items() if not one.explained] == []


def test_the_example_marks_required_variables() -> None:
    text = files.MAIN.read_text()
    required = {name for name, one in files.example().items() if one.required}

    assert required == set(re.findall(r"\$\{([A-Z0-9_]+):\?", text)) == _GIVEN.keys()
    assert all(one.value == "" for name, one in files.example().items() if name in required)


def test_the_example_shows_the_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = {name: one.value for name, one in files.example().items() if not one.required}
    compose = {
        match["name"]: match["rest"]
        for match in files._REFERENCE.finditer(files.MAIN.read_text())
        if match["kind"] == "-"
    }
    assert {name: shown[name] for name in compose} == compose
    for settings in set(_CLASSES.values()):
        for name, one in settings.model_fields.items():
            if name.upper() in shown and name.upper() not in compose and one.default is not None:
                monkeypatch.setenv(name.upper(), shown[name.upper()])
                assert str(one.default) in {shown[name.upper()], f"{shown[name.upper()]}.0"}, name
