"""Configuration files: those of the repository, filled in as the local stack does it."""

import re
import subprocess
import sys
from pathlib import Path

from pastelka_common.servers.checkout import deploy_folder
from pastelka_common.servers.nginx import render
from tests.chart.chart import Rendered, rendered


def test_nginx_is_told_what_the_template_says(case: Rendered) -> None:
    name = case.of("Deployment")["gateway"]["metadata"]["name"].removesuffix("-gateway")
    variables = {
        "PASTELKA_HOST": "0.0.0.0",  # noqa: S104 - of a pod
        "PASTELKA_PORT": "8080",
        "PASTELKA_STATIC_PORT": "8081",
        "NGINX_TEMP": "/tmp",  # noqa: S108 - of a pod
        "STORAGE_PATH": "/data/images",
        "PAGE_PATH": "/usr/share/nginx/html",
        "ORDERS_API": f"{name}-orders-api:8000",
        "MERCURE_HUB": f"{name}-hub:8000",
    }
    written = render((deploy_folder() / "nginx" / "nginx.conf.template").read_text(), variables)
    one_thing_else = written.replace("worker_processes auto;", "worker_processes 2;")
    assert one_thing_else != written
    assert case.of("ConfigMap")["gateway"]["data"]["nginx.conf"].strip() == one_thing_else.strip()


def test_nginx_ports_are_the_containers(case: Rendered) -> None:
    ports = {port["name"]: port["containerPort"] for port in case.container("gateway")["ports"]}
    assert ports == {"http": 8080, "static": 8081}


def test_the_hub_is_told_what_the_repository_says(case: Rendered) -> None:
    written = (deploy_folder() / "mercure" / "Caddyfile").read_text()
    assert case.of("ConfigMap")["hub"]["data"]["Caddyfile"].strip() == written.strip()


def test_new_configuration_starts_the_pods_anew() -> None:
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


def test_the_nats_of_try_out_reads_its_configuration(tmp_path: Path) -> None:
    text = rendered("try-out").of("ConfigMap")["nats"]["data"]["nats.conf"]
    file = tmp_path / "nats.conf"
    file.write_text(text.replace('"/data"', f'"{tmp_path}"'))
    server = Path(sys.executable).with_name("nats-server")
    done = subprocess.run([server, "-t", "-c", file], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert '"sync_interval": "always"' in text


def test_the_address_of_the_files_is_that_of_the_gateway() -> None:
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


def test_the_hub_has_every_variable_it_asks_for(case: Rendered) -> None:
    config = case.of("ConfigMap")["hub"]["data"]["Caddyfile"]
    needed = set(re.findall(r"\{env\.([A-Z_]+)\}|\{\$([A-Z_]+)\}", config))
    given = {one["name"] for one in case.container("hub")["env"]}
    assert {name for pair in needed for name in pair if name} <= given
    assert "MERCURE_PORT" in given
