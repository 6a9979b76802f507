"""Options for hardened clusters, set by values alone."""

import json
from typing import Any

import pytest
import yaml

from pastelka_common.servers.base import deploy_folder
from tests.chart.chart import COMPONENTS, SERVICES, Rendered, rendered, template
from tests.chart.settings import from_secrets
from tests.chart.test_network import ANYBODY, INTERNET, Arrow, arrows

JOBS = (
    "backupRecord.enabled=true,backupRecord.existingClaim=records,"
    "afterRestore.enabled=true,afterRestore.record=r"
)
BUNDLE = "/etc/ssl/pastelka/ca-bundle.crt"


def _env(case: Rendered, component: str) -> dict[str, Any]:
    return {one["name"]: one.get("value") for one in case.container(component).get("env", [])}


def test_each_component_may_have_its_own_service_account() -> None:
    pods = rendered("everything").pods()
    accounts = {component: pod["spec"]["serviceAccountName"] for component, pod in pods.items()}
    assert accounts.pop("coloring") == "studio-workers"
    assert accounts.pop("backup-record") == "studio-backups"
    assert accounts.pop("migration") == "migrator"
    assert set(accounts.values()) == {"studio"}


@pytest.mark.parametrize(
    ("settings", "account"),
    [
        ("logLevel=INFO", "default"),
        ("serviceAccount.create=false,serviceAccount.name=there", "there"),
        ("defaults.serviceAccountName=there", "there"),
        ("defaults.serviceAccountName=other,migration.serviceAccountName=there", "there"),
    ],
)
def test_the_hook_uses_a_service_account_that_already_exists(settings: str, account: str) -> None:
    pod = rendered("minimal", "--set", settings).pods()["migration"]
    assert pod["spec"]["serviceAccountName"] == account


def test_a_service_account_token_is_mounted_on_request() -> None:
    pods = rendered("minimal", "--set", "notifier.automountServiceAccountToken=true").pods()
    mounts = {component: pod["spec"]["automountServiceAccountToken"] for component, pod in pods.items()}
    assert {component for component, automounted in mounts.items() if automounted} == {"notifier"}


def test_host_users_can_be_disabled() -> None:
    assert {pod["spec"]["hostUsers"] for pod in rendered("everything").pods().values()} == {False}
    assert not any("hostUsers" in pod["spec"] for pod in rendered("minimal").pods().values())


@pytest.mark.parametrize(("kind", "name"), [("configMap", "name"), ("secret", "secretName")])
def test_extra_certificates_are_trusted_by_all_clients(kind: str, name: str) -> None:
    case = rendered("bucket", "--set", f"authorities.{kind}=ours,{JOBS}")
    for component in (*SERVICES, "migration", "backup-record", "after-restore"):
        env = _env(case, component)
        assert env["SSL_CERT_FILE"] == env["PGSSLROOTCERT"] == BUNDLE, component
    for component in (*SERVICES, "gateway", "migration", "backup-record", "after-restore"):
        mounts = {one["mountPath"]: one["name"] for one in case.container(component)["volumeMounts"]}
        volumes = {one["name"]: one for one in case.pods()[component]["spec"]["volumes"]}
        assert volumes[mounts["/etc/ssl/pastelka"]][kind] == {name: "ours"}, component
    passing = case.of("ConfigMap")["gateway"]["data"]["bucket_pass.conf"]
    assert f"proxy_ssl_trusted_certificate {BUNDLE};" in passing


def test_the_database_url_may_be_given_in_parts() -> None:
    case = rendered("everything")
    for component in ("orders-api", "orders-worker", "migration", "backup-record"):
        container = case.container(component)
        assert _env(case, component)["DATABASE_URL"] == (
            "postgresql+asyncpg://$(DATABASE_USER):$(DATABASE_PASSWORD)@pooler.databases.svc:6432/studio"
            "?ssl=verify-full"
        )
        assert _env(case, component)["DATABASE_DIRECT_URL"] == (
            "postgresql+asyncpg://$(DATABASE_USER):$(DATABASE_PASSWORD)@main.databases.svc:5432/studio"
            "?ssl=verify-full"
        )
        assert {"DATABASE_USER", "DATABASE_PASSWORD"} <= from_secrets(container)
        names = [one["name"] for one in container["env"]]
        # Kubernetes substitutes only variables that are defined earlier.
        assert names.index("DATABASE_URL") > names.index("DATABASE_PASSWORD") > names.index("DATABASE_USER")


def test_with_an_egress_proxy_no_other_egress_is_allowed() -> None:
    out, _ = arrows(rendered("everything"))
    assert not {arrow for arrow in out if arrow.target == INTERNET}
    assert Arrow("orders-worker", "10.30.0.1/32", 3128) in out
    paid = rendered("gpu-runpod", "--set", "networkPolicy.publicAddresses=false")
    assert {arrow.target for arrow in arrows(paid)[0] if arrow.source == "coloring"} == {
        "kube-system",
        ANYBODY,
    }


def test_the_gateway_service_takes_load_balancer_settings() -> None:
    service = rendered("everything").of("Service")["gateway"]
    assert service["metadata"]["labels"]["exposed"] == "inside"
    spec = service["spec"]
    assert spec["loadBalancerSourceRanges"] == ["10.0.0.0/8"]
    assert spec["externalTrafficPolicy"] == "Local"
    assert [port.get("nodePort") for port in spec["ports"]] == [30080, None]
    for one in rendered("everything").of("Service").values():
        assert one["spec"]["ipFamilyPolicy"] == "PreferDualStack"


def test_prometheus_discovers_every_pod_with_metrics() -> None:
    case = rendered("everything")
    spec = case.of("PodMonitor")["studio-line-services"]["spec"]
    (expression,) = spec["selector"]["matchExpressions"]
    assert set(expression["values"]) == set(SERVICES)
    (endpoint,) = spec["podMetricsEndpoints"]
    for component in SERVICES:
        assert endpoint["port"] in {port["name"] for port in case.container(component)["ports"]}
        labels = case.pods()[component]["metadata"]["labels"]
        assert spec["selector"]["matchLabels"].items() <= labels.items()


def test_alerts_and_dashboard_match_the_repository() -> None:
    case = rendered("everything")
    written = yaml.safe_load((deploy_folder() / "observability" / "alerts.yaml").read_text())
    rendered_rules = case.of("PrometheusRule")["studio-line-alerts"]["spec"]
    for group, ours in zip(rendered_rules["groups"], written["groups"], strict=True):
        for rule, our in zip(group["rules"], ours["rules"], strict=True):
            link = rule["annotations"].pop("runbook_url")
            expected = our["annotations"].pop("runbook_url")
            assert link == expected.replace("docs/runbook.md", "https://wiki.example.org/pastelka/runbook")
            assert rule == our
    board = json.loads(case.of("ConfigMap")["studio-line-dashboard"]["data"]["pastelka.json"])
    assert board == json.loads((deploy_folder() / "observability" / "dashboard.json").read_text())


def test_try_out_servers_have_the_common_labels() -> None:
    case = rendered("try-out", "--set", "defaults.podLabels.zone=dmz,defaults.podAnnotations.note=here")
    for component, pod in case.pods().items():
        assert pod["metadata"]["labels"]["zone"] == "dmz", component
        assert pod["metadata"]["annotations"]["note"] == "here", component


def test_every_component_takes_every_value_of_the_pods() -> None:
    """Set for one component, a value affects no other."""
    keys = {"orders-api": "ordersApi", "orders-worker": "ordersWorker"}
    for component in COMPONENTS:
        value = f"{keys.get(component, component)}.priorityClassName=high"
        pods = rendered("minimal", "--set", value).pods()
        assert {name for name, pod in pods.items() if "priorityClassName" in pod["spec"]} == {component}


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ("authorities.configMap=a,authorities.secret=b", "authorities.configMap and authorities.secret"),
        ("authorities.key=../a", "does not match pattern"),
        ("database.host=user:password@host", "does not match pattern"),
        ("database.host=host,database.existingSecret=,tryOut.enabled=true", "database.host needs"),
        ("gateway.service.externalTrafficPolicy=local", "value must be one of"),
        ("services.type=NodePort", "value must be one of"),
        ("monitoring.rules.runbook=docs", "does not match pattern"),
    ],
)
def test_invalid_values_are_rejected_with_a_message(settings: str, complaint: str) -> None:
    done = template("minimal", "--set", settings)
    assert done.returncode != 0
    assert complaint in done.stderr, done.stderr
