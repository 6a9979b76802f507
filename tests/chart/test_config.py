"""Configuration files: equal to those of the repository, filled in as the local stack does it."""

import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from pastelka_common.servers import NginxServer
from pastelka_common.servers.base import deploy_folder
from tests.chart.chart import Rendered, rendered

_NGINX = deploy_folder() / "nginx"
_DNS = "kube-dns.kube-system.svc.cluster.local"
_SERVERS = r"server (shop-pastelka-(orders-api|hub):8000|(store\.objects\.svc|s3\..*\.amazonaws\.com):443) "
_PRIVATE = ("10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")


def _defaults() -> dict[str, str]:
    file = _NGINX / "defaults.env"
    lines = file.read_text().splitlines() if file.exists() else []
    return dict(line.split("=", 1) for line in lines if re.match(r"[A-Z_]+=", line))


def _filled(variables: Mapping[str, str]) -> dict[str, str]:
    """The templates filled in independently of the chart."""
    return {
        file.name.removesuffix(".template"): re.sub(
            r"\$\{([A-Z_]+)\}", lambda match: variables[match[1]], file.read_text()
        )
        .replace("worker_processes auto;", "worker_processes 2;")
        .strip()
        for file in _NGINX.glob("*.template")
    }


def _bucket(case: str) -> dict[str, str]:
    """Variables that follow from the addresses in ``ci/``."""
    hosts = {
        "bucket": "store.objects.svc",
        "bucket-identity": "s3.eu-central-1.amazonaws.com",
        "after-restore": "s3.us-east-1.amazonaws.com",
    }
    if case not in hosts:
        return {}
    resolved = {"BUCKET_RESOLVER": f"resolver {_DNS};", "BUCKET_LOOKUP": "resolve"}
    return {
        **(resolved if case == "bucket-identity" else {}),
        "FILES_IN": "bucket",
        "BUCKET_SCHEME": "https",
        "BUCKET_HOST": hosts[case],
        "BUCKET_SERVER": f"{hosts[case]}:443",
        "BUCKET_NAME": hosts[case],
        "BUCKET_TLS": "proxy_ssl_verify on; proxy_ssl_verify_depth 4; "
        "proxy_ssl_trusted_certificate /etc/ssl/certs/ca-certificates.crt;",
    }


def test_nginx_is_configured_from_the_templates(case: Rendered) -> None:
    name = case.of("Deployment")["gateway"]["metadata"]["name"].removesuffix("-gateway")
    naming = ["10.96.4.7/32"] if case.case == "gateway-api" else []
    front = [*_PRIVATE, *naming]
    expected = _filled(
        {
            **_defaults(),
            "PASTELKA_HOST": "0.0.0.0",  # noqa: S104 - of a pod
            "PASTELKA_PORT": "8080",
            "PASTELKA_STATIC_PORT": "8081",
            "NGINX_TEMP": "/tmp",  # noqa: S108 - of a pod
            "STORAGE_PATH": "/data/images",
            "PAGE_PATH": "/srv/pastelka/dashboard",
            "ORDERS_API": f"{name}-orders-api:8000",
            "MERCURE_HUB": f"{name}-hub:8000",
            "REAL_IP_FROM": " ".join(f"set_real_ip_from {one};" for one in front),
            "TRUSTED_PEERS": " ".join(f"{one} 1;" for one in front),
            "AUTH_PEERS": " ".join(f"{one} 1;" for one in naming),
            "STATIC_ORIGIN": "https://files.example.org" if case.case == "everything" else "",
            **({"RATE_API": "6000"} if case.case == "everything" else {}),
            **_bucket(case.case),
        }
    )
    mounted = case.of("ConfigMap")["gateway"]["data"]
    assert {file: text.strip() for file, text in mounted.items()} == expected
    assert "worker_processes 2;" in mounted["nginx.conf"]


@pytest.mark.parametrize(
    "values",
    [
        ("gateway-api",),
        ("bucket",),
        ("bucket-identity",),
        ("minimal", "--set", "gateway.settings.PASTELKA_HOST=[::]"),
    ],
)
def test_nginx_accepts_the_configuration(values: tuple[str, ...], tmp_path: Path) -> None:
    """The real nginx parses the files, with other names of Services and other folders."""
    for name, text in rendered(*values).of("ConfigMap")["gateway"]["data"].items():
        here = text.replace("/tmp", str(tmp_path))  # noqa: S108 - of a pod
        here = here.replace("/srv/pastelka/dashboard", str(tmp_path))
        here = re.sub(_SERVERS, "server 127.0.0.1:9 ", here)
        (tmp_path / name).write_text(here.replace(f"resolver {_DNS}", "resolver 127.0.0.1"))
    (tmp_path / "temp").mkdir()
    program = NginxServer(folder=tmp_path, storage=tmp_path, page=tmp_path).argv()[0]
    command = [program, "-t", "-p", f"{tmp_path}/", "-e", "stderr", "-c", str(tmp_path / "nginx.conf")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_nginx_ports_are_the_containers(case: Rendered) -> None:
    ports = {port["name"]: port["containerPort"] for port in case.container("gateway")["ports"]}
    assert ports == {"http": 8080, "static": 8081}


def test_the_hub_is_configured_from_the_repository(case: Rendered) -> None:
    written = (deploy_folder() / "mercure" / "Caddyfile").read_text()
    assert case.of("ConfigMap")["hub"]["data"]["Caddyfile"].strip() == written.strip()


def test_new_configuration_restarts_the_pods() -> None:
    def checksum(*arguments: str) -> str:
        pod = rendered("minimal", *arguments).pods()["gateway"]
        return str(pod["metadata"]["annotations"]["checksum/config"])

    assert checksum() != checksum("--set", "gateway.workerProcesses=3")


def test_services_find_each_other(case: Rendered) -> None:
    services = {one["metadata"]["name"] for one in case.of("Service").values()}
    config = case.of("ConfigMap")["gateway"]["data"]["nginx.conf"]
    notifier = {one["name"]: one.get("value") for one in case.container("notifier")["env"]}
    for suffix in ("orders-api", "hub"):
        (name,) = [one for one in services if one.endswith(f"-{suffix}")]
        assert f"server {name}:8000 " in config
        if suffix == "hub":
            assert notifier["MERCURE_URL"] == f"http://{name}:8000/.well-known/mercure"


def test_the_try_out_nats_accepts_its_configuration(tmp_path: Path) -> None:
    text = rendered("try-out").of("ConfigMap")["nats"]["data"]["nats.conf"]
    file = tmp_path / "nats.conf"
    file.write_text(text.replace('"/data"', f'"{tmp_path}"'))
    server = Path(sys.executable).with_name("nats-server")
    env = {"NATS_PASSWORD": "n0123456789"}
    done = subprocess.run([server, "-t", "-c", file], capture_output=True, text=True, check=False, env=env)
    assert done.returncode == 0, done.stderr
    assert '"password": $NATS_PASSWORD' in text
    assert '"sync_interval": "always"' in text


def test_static_url_is_the_address_of_the_gateway() -> None:
    def static_url(*arguments: str) -> str:
        env = rendered("minimal", *arguments).container("orders-api")["env"]
        return str(next(one["value"] for one in env if one["name"] == "STATIC_URL"))

    assert static_url() == "https://pastelka.example.org/static"
    assert static_url("--set", "publicUrl=http://localhost:8080/") == "http://localhost:8080/static"
    assert static_url("--set", "staticUrl=https://cdn.example.org/s") == "https://cdn.example.org/s"


def test_ingress_and_route_lead_to_the_gateway() -> None:
    ingress = rendered("external").of("Ingress")["shop-pastelka"]["spec"]
    (rule,) = ingress["rules"]
    assert rule["host"] == "pastelka.example.org"
    backend = rule["http"]["paths"][0]["backend"]["service"]
    assert backend == {"name": "shop-pastelka-gateway", "port": {"name": "http"}}
    route = rendered("gateway-api").of("HTTPRoute")["shop-pastelka"]["spec"]
    assert route["hostnames"] == ["pastelka.example.org"]
    assert {one["name"] for rule in route["rules"] for one in rule["backendRefs"]} == {
        "shop-pastelka-gateway"
    }


def test_the_hub_has_every_required_variable(case: Rendered) -> None:
    config = case.of("ConfigMap")["hub"]["data"]["Caddyfile"]
    needed = set(re.findall(r"\{env\.([A-Z_]+)\}|\{\$([A-Z_]+)\}", config))
    given = {one["name"] for one in case.container("hub")["env"]}
    assert {name for pair in needed for name in pair if name} <= given
    assert "MERCURE_PORT" in given
