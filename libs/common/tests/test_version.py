"""One version for every member, the dashboard and the chart (docs/releasing.md)."""

import json
import tomllib
from pathlib import Path

import yaml

_ROOT = Path(__file__).parents[3]


def _versions() -> dict[str, str]:
    """The version by file, relative to the root of the checkout."""
    projects = sorted({_ROOT / "pyproject.toml", *_ROOT.glob("*/*/pyproject.toml")})
    found = {
        str(path.relative_to(_ROOT)): tomllib.loads(path.read_text())["project"]["version"]
        for path in projects
    }
    for name in ("frontend/package.json", "frontend/package-lock.json"):
        found[name] = json.loads((_ROOT / name).read_text())["version"]
    chart = yaml.safe_load((_ROOT / "deploy/helm/pastelka/Chart.yaml").read_text())
    found["Chart.yaml version"] = chart["version"]
    found["Chart.yaml appVersion"] = str(chart["appVersion"])
    return found


def test_every_member_has_the_same_version() -> None:
    versions = _versions()
    assert len(versions) >= 11
    assert len(set(versions.values())) == 1, versions
