"""KEDA beside the control plane: operator, metrics adapter and admission webhooks."""

import base64
from pathlib import Path
from typing import Any

import httpx
import yaml

from tests.k8s.api import Api
from tests.k8s.control_plane import ControlPlane
from tests.k8s.programs import KEDA, go_module, program

NAMESPACE = "keda"
MODULE = f"github.com/kedacore/keda/v2@v{KEDA}"
_ADAPTER, _OPERATOR, _WEBHOOKS, _WEBHOOKS_HEALTH = 16444, 9666, 9443, 18084


async def start(plane: ControlPlane) -> None:
    """Start all three and wait until they are available."""
    certificates = _certificates(plane)
    await _define(plane, certificates)
    env = {
        "KUBECONFIG": str(plane.kubeconfig("admin")),
        "WATCH_NAMESPACE": "",
        "POD_NAMESPACE": NAMESPACE,
        "POD_NAME": "keda-operator",
        "OPERATOR_NAME": "keda-operator",
        "KEDA_CLUSTER_OBJECT_NAMESPACE": NAMESPACE,
        "KEDA_HTTP_DEFAULT_TIMEOUT": "3000",
    }
    plane.daemons.start("keda-operator", _operator(certificates), env)
    plane.daemons.start("keda-adapter", _adapter(plane, certificates), env)
    plane.daemons.start("keda-webhooks", _webhooks(certificates), env)
    await plane.daemons.ready("keda-adapter", lambda: _is_available(plane.api))
    await plane.daemons.ready("keda-webhooks", _webhooks_answer)


def _certificates(plane: ControlPlane) -> Path:
    folder = plane.folder / "keda"
    folder.mkdir()
    for source, name in ((plane.pki.crt("ca"), "ca.crt"), (plane.pki.crt("keda"), "tls.crt")):
        (folder / name).write_text(Path(source).read_text())
    (folder / "tls.key").write_text(Path(plane.pki.key("keda")).read_text())
    return folder


def _operator(certificates: Path) -> list[str]:
    return [
        str(program("keda-operator")),
        "--zap-log-level=info",
        "--zap-encoder=console",
        f"--cert-dir={certificates}",
        "--metrics-bind-address=127.0.0.1:18080",
        "--health-probe-bind-address=127.0.0.1:18081",
        f"--metrics-service-bind-address=127.0.0.1:{_OPERATOR}",
    ]


def _adapter(plane: ControlPlane, certificates: Path) -> list[str]:
    login = plane.kubeconfig("admin")
    kinds = ("lister-kubeconfig", "authentication-kubeconfig", "authorization-kubeconfig")
    return [
        str(program("keda-adapter")),
        f"--secure-port={_ADAPTER}",
        "--bind-address=127.0.0.1",
        "--port=18082",
        f"--metrics-service-address=localhost:{_OPERATOR}",
        f"--client-ca-file={certificates / 'ca.crt'}",
        f"--tls-cert-file={certificates / 'tls.crt'}",
        f"--tls-private-key-file={certificates / 'tls.key'}",
        f"--cert-dir={certificates}",
        *(f"--{kind}={login}" for kind in kinds),
    ]


def _webhooks(certificates: Path) -> list[str]:
    return [
        str(program("keda-webhooks")),
        "--zap-encoder=console",
        f"--cert-dir={certificates}",
        "--metrics-bind-address=127.0.0.1:18083",
        f"--health-probe-bind-address=127.0.0.1:{_WEBHOOKS_HEALTH}",
    ]


async def _define(plane: ControlPlane, certificates: Path) -> None:
    await plane.api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
    for file in sorted((go_module(MODULE) / "config" / "crd" / "bases").glob("*.yaml")):
        await plane.api.apply(yaml.safe_load(file.read_text()))
    for one in [*_external_metrics(), _admission(certificates)]:
        await plane.api.apply(one, NAMESPACE)


def _external_metrics() -> list[dict[str, Any]]:
    """Register the adapter with the API server, and let the autoscaler query it."""
    service = {"name": "keda-metrics-apiserver", "namespace": NAMESPACE}
    spec = {"type": "ExternalName", "externalName": "localhost", "ports": [{"port": _ADAPTER}]}
    group = "external.metrics.k8s.io"
    rbac = "rbac.authorization.k8s.io"
    return [
        {"apiVersion": "v1", "kind": "Service", "metadata": service, "spec": spec},
        {
            "apiVersion": "apiregistration.k8s.io/v1",
            "kind": "APIService",
            "metadata": {"name": f"v1beta1.{group}"},
            "spec": {
                "service": {**service, "port": _ADAPTER},
                "group": group,
                "version": "v1beta1",
                "groupPriorityMinimum": 100,
                "versionPriority": 100,
                "insecureSkipTLSVerify": True,
            },
        },
        {
            "apiVersion": f"{rbac}/v1",
            "kind": "ClusterRole",
            "metadata": {"name": "external-metrics"},
            "rules": [{"apiGroups": [group], "resources": ["*"], "verbs": ["*"]}],
        },
        {
            "apiVersion": f"{rbac}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": "external-metrics"},
            "roleRef": {"apiGroup": rbac, "kind": "ClusterRole", "name": "external-metrics"},
            "subjects": [
                {"kind": "ServiceAccount", "name": "horizontal-pod-autoscaler", "namespace": "kube-system"}
            ],
        },
    ]


def _admission(certificates: Path) -> dict[str, Any]:
    """Register KEDA's validation of ScaledObjects by address instead of by Service."""
    authority = base64.b64encode((certificates / "ca.crt").read_bytes()).decode()
    url = f"https://127.0.0.1:{_WEBHOOKS}/validate-keda-sh-v1alpha1-scaledobject"
    rule = {
        "apiGroups": ["keda.sh"],
        "apiVersions": ["v1alpha1"],
        "operations": ["CREATE", "UPDATE"],
        "resources": ["scaledobjects"],
    }
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": "keda-admission"},
        "webhooks": [
            {
                "name": "vscaledobject.kb.io",
                "admissionReviewVersions": ["v1"],
                "sideEffects": "None",
                "failurePolicy": "Fail",
                "clientConfig": {"url": url, "caBundle": authority},
                "rules": [rule],
            }
        ],
    }


async def _is_available(api: Api) -> bool:
    service = await api.get("apiregistration.k8s.io/v1", "APIService", "v1beta1.external.metrics.k8s.io")
    conditions = (service or {}).get("status", {}).get("conditions", [])
    return any(one["type"] == "Available" and one["status"] == "True" for one in conditions)


async def _webhooks_answer() -> bool:
    try:
        async with httpx.AsyncClient(trust_env=False) as client:
            return (await client.get(f"http://127.0.0.1:{_WEBHOOKS_HEALTH}/readyz")).is_success
    except httpx.HTTPError:
        return False
