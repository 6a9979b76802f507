"""The pods: settings, probes, security, shutdown."""

import re
from typing import Any

import httpx
import pytest

from pastelka_common.health import health_server
from pastelka_common.servers import MercureServer
from pastelka_common.testing.plugin import StartNginx
from pastelka_orders.api.app import create_app
from pastelka_orders.book.description import BookOptions
from pastelka_orders.settings import OrdersSettings
from tests.chart.chart import COMPONENTS, SERVICES, Rendered, rendered
from tests.chart.settings import SETTINGS, environment, from_secrets

# Variables read by libraries, by numbered settings, or by the access control.
_OTHERS = re.compile(
    r"PROXY_\d+_[A-Z]+|HTTPS_PROXY|NO_PROXY|SSL_CERT_FILE|PGSSLROOTCERT|OTEL_EXPORTER_OTLP_CERTIFICATE"
    r"|DATABASE_(USER|PASSWORD)|NATS_PASSWORD"
)


@pytest.mark.parametrize("service", SERVICES)
def test_the_settings_accept_the_environment(
    case: Rendered, service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = environment(case.container(service))
    for name in SETTINGS[service].model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    settings = SETTINGS[service]()
    assert settings.port == 8000
    assert settings.host == "0.0.0.0"  # noqa: S104 - of a pod


@pytest.mark.parametrize("service", ["orders-api", "orders-worker"])
def test_the_values_of_printing_are_settings(service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in environment(rendered("everything").container(service)).items():
        monkeypatch.setenv(name, value)
    settings = OrdersSettings()
    assert settings.print_layouts == {"Dvě na stránku": "two"}
    assert settings.book_options == BookOptions(
        paper="A5",
        bleed_mm=3,
        orientation="portrait",
        backs="blank",
        has_numbers=True,
        font="DejaVu Sans",
    )


@pytest.mark.parametrize("service", SERVICES)
def test_no_variable_is_misspelt(case: Rendered, service: str) -> None:
    known = {name.upper() for name in SETTINGS[service].model_fields}
    for name in environment(case.container(service)):
        assert name in known or _OTHERS.fullmatch(name), name


@pytest.mark.parametrize("service", SERVICES)
def test_secrets_come_from_secrets(case: Rendered, service: str) -> None:
    """Every secret setting of a service comes from a Secret."""
    container = case.container(service)
    secret = {
        name.upper()
        for name, field in SETTINGS[service].model_fields.items()
        if "SecretStr" in str(field.annotation)
    }
    env = {one["name"]: one.get("value", "") for one in container["env"]}
    made_of = {name for name, value in env.items() if "_PASSWORD)" in value}
    assert secret & set(env) <= from_secrets(container) | made_of


def test_every_container_meets_the_restricted_standard(case: Rendered) -> None:
    """https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted, and a bit more."""
    for pod in case.pods().values():
        spec = pod["spec"]
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["runAsUser"] > 0
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert not {"hostNetwork", "hostPID", "hostIPC"} & set(spec)
        kinds = {kind for volume in spec["volumes"] for kind in volume if kind != "name"}
        assert kinds <= {"configMap", "emptyDir", "persistentVolumeClaim"}
    for _, container in case.containers():
        context = container["securityContext"]
        assert context["allowPrivilegeEscalation"] is False
        assert context["readOnlyRootFilesystem"] is True
        assert context["capabilities"] == {"drop": ["ALL"]}


def test_no_pod_has_a_token(case: Rendered) -> None:
    for pod in case.pods().values():
        assert pod["spec"]["automountServiceAccountToken"] is False
        assert pod["spec"]["enableServiceLinks"] is False


def test_every_container_declares_resources(case: Rendered) -> None:
    for component, container in case.containers():
        resources = container["resources"]
        assert {"cpu", "memory"} <= set(resources["requests"]), component
        assert "memory" in resources["limits"], component


def test_every_writable_volume_has_a_size_limit(case: Rendered) -> None:
    for component, pod in case.pods().items():
        for volume in pod["spec"]["volumes"]:
            if "emptyDir" in volume:
                assert volume["emptyDir"]["sizeLimit"], (component, volume["name"])


def test_every_mount_has_a_volume(case: Rendered) -> None:
    for component, pod in case.pods().items():
        volumes = {volume["name"] for volume in pod["spec"]["volumes"]}
        if component in case.of("StatefulSet"):
            volumes |= {
                claim["metadata"]["name"]
                for claim in case.of("StatefulSet")[component]["spec"]["volumeClaimTemplates"]
            }
        for container in [*pod["spec"].get("initContainers", []), *pod["spec"]["containers"]]:
            assert {mount["name"] for mount in container.get("volumeMounts", [])} <= volumes, component


def test_the_grace_period_exceeds_the_shutdown_time(case: Rendered) -> None:
    for component in COMPONENTS:
        pod, container = case.pods()[component]["spec"], case.container(component)
        sleep = container.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
        variables = {one["name"]: one.get("value") for one in container.get("env", [])}
        grace = float(variables.get("SHUTDOWN_GRACE") or 25)
        assert pod["terminationGracePeriodSeconds"] >= sleep + grace + 10, component


def test_request_serving_pods_have_a_pre_stop_pause(case: Rendered) -> None:
    """Gives Kubernetes time to withdraw the endpoint."""
    services = {one["spec"]["selector"]["app.kubernetes.io/component"] for one in case.of("Service").values()}
    for component in services & set(COMPONENTS):
        sleep = case.container(component)["lifecycle"]["preStop"]["sleep"]["seconds"]
        assert sleep >= 5


def test_selectors_find_their_pods_and_no_others(case: Rendered) -> None:
    labels = {name: pod["metadata"]["labels"] for name, pod in case.pods().items()}
    for kind in ("Deployment", "StatefulSet", "Service", "PodDisruptionBudget"):
        for component, one in case.of(kind).items():
            selector = one["spec"]["selector"]
            wanted = selector.get("matchLabels", selector)
            found = {name for name, own in labels.items() if wanted.items() <= own.items()}
            assert found == {component}, (kind, component)


def test_ports_of_services_are_ports_of_their_containers(case: Rendered) -> None:
    for component, one in case.of("Service").items():
        named = {port["name"] for port in case.container(component)["ports"]}
        assert {port["targetPort"] for port in one["spec"]["ports"]} <= named


def test_a_disruption_budget_never_blocks_a_node_drain(case: Rendered) -> None:
    for component, one in case.of("PodDisruptionBudget").items():
        assert one["spec"]["maxUnavailable"] not in {0, "0%"}, component
        assert "minAvailable" not in one["spec"]
        assert one["spec"]["unhealthyPodEvictionPolicy"] == "AlwaysAllow"


def test_a_rolling_upgrade_can_always_proceed(case: Rendered) -> None:
    for component, one in case.of("Deployment").items():
        strategy = one["spec"]["strategy"]
        if component == "hub":
            assert strategy == {"type": "Recreate"}  # its history is stored in a file
            continue
        rolling = strategy["rollingUpdate"]
        assert (rolling["maxUnavailable"] == 0) != (rolling["maxSurge"] == 0), component


def test_pods_spread_over_nodes_and_zones(case: Rendered) -> None:
    for component in COMPONENTS:
        pod = case.pods()[component]
        for constraint in pod["spec"]["topologySpreadConstraints"]:
            assert constraint["labelSelector"]["matchLabels"].items() <= pod["metadata"]["labels"].items()
        keys = {one["topologyKey"] for one in pod["spec"]["topologySpreadConstraints"]}
        assert keys == {"kubernetes.io/hostname", "topology.kubernetes.io/zone"}


def _probes(container: Any) -> set[str]:
    return {container[f"{kind}Probe"]["httpGet"]["path"] for kind in ("startup", "liveness", "readiness")}


@pytest.mark.parametrize("component", COMPONENTS)
def test_liveness_does_not_depend_on_other_services(component: str) -> None:
    """A database outage must not restart any pod."""
    container = rendered("minimal").container(component)
    assert container["startupProbe"]["httpGet"] == {"path": "/healthz", "port": "http"}
    assert container["livenessProbe"]["httpGet"] == {"path": "/healthz", "port": "http"}
    ready = {"orders-api": "/readyz?exclude=broker"}.get(component, "/readyz")
    assert container["readinessProbe"]["httpGet"]["path"] == (ready if component in SERVICES else "/healthz")


async def test_workers_answer_their_probes() -> None:
    paths = set.union(*(_probes(rendered("minimal").container(one)) for one in SERVICES[1:]))
    async with health_server("127.0.0.1", 0, {}) as port, httpx.AsyncClient() as client:
        for path in paths:
            assert (await client.get(f"http://127.0.0.1:{port}{path}")).status_code == 200


def test_the_api_answers_its_probes() -> None:
    url = "postgresql+asyncpg://pastelka:secret@localhost/pastelka"
    app = create_app(OrdersSettings(database_url=url))
    served = {getattr(route, "path", "") for route in app.routes}
    probes = _probes(rendered("minimal").container("orders-api"))
    assert {path.partition("?")[0] for path in probes} <= served


async def test_the_gateway_answers_its_probes(nginx_server: StartNginx) -> None:
    nginx = await nginx_server()
    async with httpx.AsyncClient() as client:
        for path in _probes(rendered("minimal").container("gateway")):
            assert (await client.get(f"{nginx.url}{path}")).status_code == 200


async def test_the_hub_answers_its_probes(mercure_hub: MercureServer) -> None:
    async with httpx.AsyncClient() as client:
        for path in _probes(rendered("minimal").container("hub")):
            assert (await client.get(f"{mercure_hub.origin}{path}")).status_code == 200


def test_a_gpu_is_requested() -> None:
    pod = rendered("gpu-runpod").pods()["coloring"]["spec"]
    assert pod["containers"][0]["resources"]["limits"]["nvidia.com/gpu"] == 1
    assert pod["nodeSelector"] == {"accelerator": "nvidia-l4"}
    assert {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"} in pod["tolerations"]
    assert "nvidia.com/gpu" not in str(rendered("gpu-runpod").pods()["vectorize"])


def test_images_come_from_the_configured_registry() -> None:
    everything = rendered("everything")
    for component, container in everything.containers():
        if container["name"] != "log-shipper":
            assert container["image"].startswith("registry.example.org/mirror/"), component
    assert everything.container("orders-api")["image"].endswith(
        "/studio/orders@sha256:" + "0123456789abcdef" * 4
    )
    assert everything.container("coloring")["image"] == "registry.example.org/mirror/pastelka-coloring:1.2.3"
    assert everything.container("orders-worker")["image"] == everything.container("orders-api")["image"]


def test_the_hardened_profile_sets_every_option() -> None:
    for component, pod in rendered("everything").pods().items():
        spec = pod["spec"]
        assert spec["imagePullSecrets"] == [{"name": "pull"}]
        assert spec["priorityClassName"] == "studio"
        assert spec["runtimeClassName"] == "gvisor"
        assert spec["securityContext"]["fsGroup"] == 54321
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert spec["nodeSelector"]["kubernetes.io/arch"] == "amd64"
        assert pod["metadata"]["labels"]["zone"] == "dmz"
        assert pod["metadata"]["labels"]["team"] == "studio"
        assert pod["metadata"]["annotations"]["sidecar.istio.io/inject"] == "false"
        assert any(volume["name"] == "authorities" for volume in spec["volumes"]), component


def test_uid_can_be_left_to_the_cluster() -> None:
    """As OpenShift requires it."""
    nothing = [f"defaults.podSecurityContext.{name}=null" for name in ("runAsUser", "runAsGroup", "fsGroup")]
    pods = rendered("minimal", "--set", ",".join(nothing)).pods()
    for pod in pods.values():
        assert "runAsUser" not in pod["spec"]["securityContext"]
        assert pod["spec"]["securityContext"]["runAsNonRoot"] is True
