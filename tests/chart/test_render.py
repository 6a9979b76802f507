"""Rendered objects of every file of values are valid for the oldest and the newest Kubernetes."""

import json
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.chart.chart import CASES, FOLDER, Rendered, helm, template, values_file
from tests.k8s import schemas
from tests.k8s.programs import program


@pytest.mark.parametrize("name", CASES)
def test_helm_lint_passes(name: str) -> None:
    done = helm("lint", "--strict", "--quiet", str(FOLDER), "--values", str(values_file(name)))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "WARNING" not in done.stdout
    assert "ERROR" not in done.stdout


@pytest.mark.parametrize("version", schemas.VERSIONS)
def test_every_object_is_valid(case: Rendered, version: str, tmp_path: Path) -> None:
    file = tmp_path / "objects.yaml"
    file.write_text(case.text)
    command = [str(program("kubeconform")), "-strict", "-output", "json", "-kubernetes-version", version]
    for location in schemas.locations():
        command += ["-schema-location", location]
    done = subprocess.run([*command, str(file)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["resources"] == []  # it prints only errors


def test_kubeconform_rejects_a_wrong_field(tmp_path: Path) -> None:
    """The schemas are strict: a wrong field is reported for each source of schemas."""
    broken = {
        "Deployment": {"apiVersion": "apps/v1", "spec": {"replica": 1, "selector": {}, "template": {}}},
        "ScaledObject": {"apiVersion": "keda.sh/v1alpha1", "spec": {"minReplicas": 1}},
        "HTTPRoute": {"apiVersion": "gateway.networking.k8s.io/v1", "spec": {"hosts": []}},
    }
    for kind, rest in broken.items():
        file = tmp_path / f"{kind}.yaml"
        file.write_text(yaml.safe_dump({"kind": kind, "metadata": {"name": "x"}, **rest}))
        command = [str(program("kubeconform")), "-strict", "-kubernetes-version", schemas.VERSIONS[0]]
        for location in schemas.locations():
            command += ["-schema-location", location]
        done = subprocess.run([*command, str(file)], capture_output=True, text=True, check=False)
        assert done.returncode == 1, kind
        assert "additional" in done.stdout, done.stdout


def test_names_are_unique(case: Rendered) -> None:
    names = [(one["kind"], one["metadata"]["name"]) for one in case.objects]
    assert len(names) == len(set(names))


def test_every_object_has_the_common_labels(case: Rendered) -> None:
    for one in case.objects:
        if one["metadata"]["name"].endswith("-extra"):
            continue  # an object that the operator provides
        labels = one["metadata"]["labels"]
        assert labels["app.kubernetes.io/instance"] == "shop"
        assert labels["app.kubernetes.io/managed-by"] == "Helm"
        assert one["metadata"]["namespace"] == "default"


@pytest.mark.parametrize(
    ("setting", "complaint"),
    [
        ("publicUrl=", "publicUrl is empty"),
        ("auth.mode=", "auth.mode is empty"),
        ("auth.mode=proxy", "auth.proxy.trustedProxies"),
        ("auth.mode=proxy", "auth.proxy.operators and auth.proxy.viewers are empty"),
        ("database.existingSecret=", "database.existingSecret is empty"),
        ("nats.url=", "nats.url and nats.existingSecret are empty"),
        ("mercure.existingSecret=", "mercure.existingSecret is empty"),
        ("coloring.provider=runpod", "coloring.runpod.endpointId"),
        ("vectorize.provider=vectorizer", "vectorize.vectorizer.existingSecret"),
        ("keda.enabled=true", "nats.monitoringEndpoint"),
        ("gatewayApi.enabled=true", "gatewayApi.parentRefs"),
        ("keda.coloring.minReplicas=9", "minReplicas is larger"),
        ("ordersApi.autoscaling.minReplicas=7", "minReplicas is larger"),
        ("ordersApi.replica=3", "additional properties 'replica' not allowed"),
        ("auth.mode=open", "value must be one of"),
        ("nats.url=nats://user:secret@host:4222", "does not match pattern"),
        ("coloring.concurrency=many", "got string, want"),
        ("coloring.image.digest=sha256:1", "does not match pattern"),
        ("publicUrl=pastelka.example.org", "does not match pattern"),
    ],
)
def test_invalid_values_are_rejected_with_a_message(setting: str, complaint: str) -> None:
    done = template("minimal", "--set", setting)
    assert done.returncode != 0
    assert complaint in done.stderr, done.stderr


def test_without_values_every_missing_value_is_named() -> None:
    done = helm("template", "shop", str(FOLDER))
    assert done.returncode != 0
    for value in ("publicUrl", "auth.mode", "database.existingSecret", "nats.url", "mercure.existingSecret"):
        assert f"\n{value}" in done.stderr


def test_an_older_kubernetes_is_rejected() -> None:
    done = template("minimal", "--kube-version", "1.29.4")
    assert "requires kubeVersion" in done.stderr
