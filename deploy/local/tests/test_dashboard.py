"""Builds of the dashboard, tested on a small project with the real npm, and the gateway that serves it."""

import asyncio
import json
import os
import re
import subprocess
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from pastelka_common.testing.plugin import StartNginx
from pastelka_local.dashboard import Dashboard, DashboardError, dist
from pastelka_local.dashboard.changes import is_changed
from pastelka_local.dashboard.node import is_supported

_BUILD = "mkdir -p dist && cat src/main.ts >> dist/index.html && ! grep -q syntax-error src/main.ts"
_CHECK = "! grep -q wrong src/main.ts && echo ' Tests  3 passed (3)' && echo other"


@dataclass
class Project:
    """A dashboard with one source file and one dependency; ``said`` collects the output of its builds."""

    root: Path
    said: list[str] = field(default_factory=list)

    def write(self, name: str, content: str) -> None:
        """Write a file of the project."""
        path = self.root / "frontend" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)

    def dashboard(self, **environment: str) -> Dashboard:
        """The dashboard built from the project."""
        return Dashboard(self.root, {**os.environ, **environment})

    def page(self) -> str:
        """The built page, after a build if one is needed."""
        return (self.dashboard().dist(self.said.append) / "index.html").read_text()


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = Project(tmp_path)
    itself = {"name": "small", "version": "1.0.0", "dependencies": {"crayon": "file:crayon"}}
    crayon = {"name": "crayon", "version": "1.0.0"}
    scripts = {"build": _BUILD, "check": f"{_CHECK} && npm run build", "check:quick": _CHECK}
    package = {**itself, "scripts": scripts}
    linked = {"resolved": "crayon", "link": True}
    packages = {"": itself, "crayon": crayon, "node_modules/crayon": linked}
    lock = {"name": "small", "version": "1.0.0", "lockfileVersion": 3, "packages": packages}
    made.write("crayon/package.json", json.dumps(crayon))
    for name in ("index.html", "tsconfig.json", "vite.config.ts"):
        made.write(name, "")
    made.write("package.json", json.dumps(package))
    made.write("package-lock.json", json.dumps(lock))
    made.write("src/main.ts", "one ")
    return made


def test_unchanged_sources_are_built_once(project: Project):
    assert project.page() == "one "
    assert project.said[:2] == [
        "installing the packages that package-lock.json names",
        "building it from its sources",
    ]
    project.said.clear()
    assert project.page() == "one "
    project.write("src/main.test.ts", "a test is no source")
    project.write("README.md", "nor is this")
    assert project.page() == "one "
    assert project.said == []


def test_a_changed_source_is_rebuilt_without_npm_install(project: Project):
    project.page()
    project.said.clear()
    project.write("src/main.ts", "two ")
    assert project.page() == "one two "
    assert [re.sub(r"[\d.]+", "n", line) for line in project.said] == [
        "building it from its sources",
        "built in n s",
    ]
    project.write("public/icon.svg", "<svg/>")
    assert not project.dashboard().is_current()


def test_a_changed_lock_file_runs_npm_install(project: Project):
    project.page()
    project.said.clear()
    lock = project.root / "frontend" / "package-lock.json"
    lock.write_text(lock.read_text() + "\n")
    project.page()
    assert project.said[0] == "installing the packages that package-lock.json names"


def test_a_failed_build_reports_its_output_and_is_retried(project: Project):
    project.write("src/main.ts", "syntax-error ")
    with pytest.raises(
        DashboardError, match=r"`npm run build` failed in .*frontend:\n(.|\n)*small@1\.0\.0 build"
    ):
        project.page()
    with pytest.raises(DashboardError):
        project.page()
    project.write("src/main.ts", "repaired")
    assert project.page().endswith("repaired")


def test_check_prints_a_summary_and_leaves_a_current_build(project: Project):
    assert project.dashboard().check(project.said.append) == ["Tests  3 passed (3)"]
    assert project.dashboard().is_current()
    project.write("src/main.ts", "wrong")
    with pytest.raises(DashboardError, match="npm run check"):
        project.dashboard().check()


def test_a_passed_check_is_not_repeated_until_a_file_changes(project: Project):
    passed, again = ["Tests  3 passed (3)"], ["unchanged since it passed"]
    assert project.dashboard().check(quick=True) == passed
    assert project.dashboard().check(quick=True) == again
    assert project.dashboard().check() == passed  # the quick check does not build
    assert project.dashboard().check() == again
    project.write("src/main.test.ts", "a test")
    assert project.dashboard().check(quick=True) == passed
    (project.root / "frontend" / "dist" / "index.html").unlink()
    (project.root / "frontend" / "dist" / ".sources").unlink()
    assert project.dashboard().check() == passed
    project.write("src/main.test.ts", "another test")
    assert project.dashboard().check() == passed
    assert project.dashboard().check(quick=True) == again  # the full check includes the quick one


def _git(root: Path, *arguments: str) -> None:
    who = ("-c", "user.name=Jana", "-c", "user.email=jana@example.com")
    subprocess.run(["git", "-C", root, *who, *arguments], check=True, capture_output=True)


def test_is_changed_sees_commits_and_the_work_tree(project: Project):
    root = project.root
    assert is_changed(root)  # not a git checkout: git cannot tell
    _git(root, "init", "--initial-branch=main")
    _git(root, "add", ".")
    _git(root, "commit", "--message=main")
    _git(root, "switch", "--create=branch")
    assert not is_changed(root)
    (root / "README.md").write_text("not of the dashboard")
    assert not is_changed(root)
    project.write("src/new.ts", "new")
    assert is_changed(root)
    _git(root, "add", ".")
    _git(root, "commit", "--message=branch")
    assert is_changed(root)
    _git(root, "switch", "main")
    assert not is_changed(root)
    project.write("src/main.ts", "changed")
    assert is_changed(root)


@pytest.mark.parametrize("version", ["v20.19.0", "v20.20.2", "v22.12.0", "v24.19.0", "v26.0.0"])
def test_supported_node_versions_are_accepted(version: str):
    assert is_supported(version)


@pytest.mark.parametrize("version", ["v18.20.8", "v20.18.3", "v21.7.3", "v22.11.0", "", "node 24"])
def test_unsupported_node_versions_are_rejected(version: str):
    assert not is_supported(version)


def test_without_node_and_uv_the_error_names_both(project: Project, tmp_path: Path):
    dashboard = project.dashboard(PATH=str(tmp_path), UV="")
    with pytest.raises(DashboardError, match=r"Node 20\.19 or 22\.12 or newer is needed.*make dashboard"):
        dashboard.dist()


def test_a_node_that_is_too_old_is_not_used(project: Project, tmp_path: Path):
    for name in ("node", "npm"):
        program = tmp_path / name
        program.write_text("#!/bin/sh\necho v18.20.8\n")
        program.chmod(0o755)
    uv = tmp_path / "uv"
    uv.write_text("#!/bin/sh\necho no network >&2\nexit 2\n")
    uv.chmod(0o755)
    with pytest.raises(DashboardError, match=r"uv could not fetch it:\nno network"):
        project.dashboard(PATH=str(tmp_path), UV=str(uv)).dist(project.said.append)
    assert project.said == [
        "Node 20.19 or 22.12 or newer is not on the PATH:"
        f" fetching it into {tmp_path}/.tools/node (60 MB, once)"
    ]


def test_an_incomplete_checkout_is_an_error(tmp_path: Path):
    with pytest.raises(DashboardError, match=r"frontend has no package\.json"):
        Dashboard(tmp_path).dist()


@pytest.fixture
async def gateway(nginx_server: StartNginx) -> AsyncIterator[httpx.AsyncClient]:
    server = await nginx_server(page=await asyncio.to_thread(dist))
    async with httpx.AsyncClient(base_url=server.address) as client:
        yield client


@pytest.mark.timeout(600)  # the packages of the dashboard may not be installed yet
@pytest.mark.parametrize("path", ["/", "/orders/M1", "/system"])
async def test_the_gateway_serves_the_dashboard(gateway: httpx.AsyncClient, path: str):
    answer = await gateway.get(path)
    assert answer.status_code == 200
    assert '<div id="root">' in answer.text
    assert answer.headers["Cache-Control"] == "no-cache"
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]


@pytest.mark.timeout(600)
async def test_dashboard_assets_exist_and_are_immutable(gateway: httpx.AsyncClient):
    named = re.findall(r'(?:src|href)="(/[^"]+)"', (await gateway.get("/")).text)
    assert len(named) >= 3
    for path in named:
        answer = await gateway.get(path)
        assert answer.status_code == 200
        assert "text/html" not in answer.headers["Content-Type"]
        assert ("immutable" in answer.headers["Cache-Control"]) == path.startswith("/assets/")
    assert (await gateway.get("/assets/index-00000000.js")).status_code == 404
    assert (await gateway.get("/.sources")).status_code == 404
    assert (await gateway.get("/.vite/manifest.json")).status_code == 404
