"""Jobs beside the release: the record kept with backups, and the reconciliation after a restore."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from pastelka_common.servers import NatsServer
from pastelka_orders import migrations_runner
from tests.chart.chart import COMPONENTS, FOLDER, Rendered, rendered, template, values_file
from tests.chart.settings import from_secrets
from tests.chart.test_network import ANYBODY, Arrow, arrows
from tests.k8s.programs import program

RECORDS = "backupRecord.enabled=true,backupRecord.existingClaim=records"
RESTORE = f"{RECORDS},afterRestore.enabled=true,afterRestore.record=newest.json"


def _with(settings: str, case: str = "minimal") -> Rendered:
    return rendered(case, "--set", settings)


def _claims(pod: Mapping[str, Any]) -> dict[str, str]:
    """Claims of a pod by mount path in its first container."""
    volumes = {one["name"]: one for one in pod["spec"]["volumes"]}
    return {
        mount["mountPath"]: volumes[mount["name"]]["persistentVolumeClaim"]["claimName"]
        for mount in pod["spec"]["containers"][0]["volumeMounts"]
        if "persistentVolumeClaim" in volumes[mount["name"]]
    }


def _here(container: Mapping[str, Any], records: Path) -> list[str]:
    """A container's command with a local folder in place of the claim."""
    return [part.replace("/record/", f"{records}/") for part in container["command"]]


def _environment(container: Mapping[str, Any], **others: str) -> dict[str, str]:
    """An environment with only the PATH of this process."""
    given = {one["name"]: one["value"] for one in container["env"] if "value" in one}
    return {**given, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", **others}


def test_the_record_job_is_off_by_default() -> None:
    case = rendered("minimal")
    assert not case.of("CronJob")
    assert set(case.of("Job")) == {"migration"}


def test_record_jobs_run_one_at_a_time_with_their_own_claim() -> None:
    case = _with(RECORDS)
    spec = case.of("CronJob")["backup-record"]["spec"]
    assert spec["concurrencyPolicy"] == "Forbid"
    assert spec["jobTemplate"]["spec"]["template"]["spec"]["restartPolicy"] == "Never"
    assert _claims(case.pods()["backup-record"]) == {"/record": "records"}


def test_the_record_job_reaches_the_database_only() -> None:
    case = _with(RECORDS)
    out, into = arrows(case)
    assert {arrow for arrow in out if arrow.source == "backup-record"} == {
        Arrow("backup-record", "kube-system", 53),
        Arrow("backup-record", ANYBODY, 5432),
    }
    assert not {arrow for arrow in into if arrow.target == "backup-record"}
    assert from_secrets(case.container("backup-record")) == {"DATABASE_URL"}


def test_the_servers_of_this_chart_admit_the_jobs() -> None:
    case = _with(f"{RESTORE}", "try-out")
    out, into = arrows(case)
    wanted = {
        Arrow("backup-record", "postgresql", 5432),
        Arrow("after-restore", "postgresql", 5432),
        Arrow("after-restore", "nats", 4222),
    }
    assert wanted <= out & into


def test_the_restore_job_has_the_files_and_the_record() -> None:
    pod = _with(RESTORE).pods()["after-restore"]
    assert _claims(pod) == {"/data/images": "pastelka-files", "/record": "records"}
    mounts = {one["name"]: one for one in pod["spec"]["containers"][0]["volumeMounts"]}
    assert mounts["record"]["readOnly"] is True
    assert "readOnly" not in mounts["files"]


def test_the_restore_job_reaches_everything_it_reconciles() -> None:
    out, _ = arrows(rendered("after-restore"))
    assert {(arrow.target, arrow.port) for arrow in out if arrow.source == "after-restore"} == {
        ("kube-system", 53),
        (ANYBODY, 5432),
        (ANYBODY, 4222),
        (ANYBODY, 443),
    }


def test_a_record_may_come_in_a_configmap() -> None:
    case = _with("afterRestore.enabled=true,afterRestore.record=r.json,afterRestore.recordConfigMap=newest")
    volumes = {one["name"]: one for one in case.pods()["after-restore"]["spec"]["volumes"]}
    assert volumes["record"]["configMap"] == {"name": "newest"}


@pytest.mark.parametrize(
    ("settings", "name", "last"),
    [
        ("afterRestore.dryRun=true", "shop-pastelka-after-restore-dry-run", "--dry-run"),
        ("afterRestore.dryRun=false", "shop-pastelka-after-restore", "/record/newest.json"),
        ("afterRestore.record=,afterRestore.withoutRecord=true", None, "--dry-run"),
    ],
)
def test_a_dry_run_comes_first(settings: str, name: str | None, last: str) -> None:
    case = _with(f"{RESTORE},{settings}")
    job = case.of("Job")["after-restore"]
    assert job["metadata"]["name"] == (name or "shop-pastelka-after-restore-dry-run")
    assert ("--no-record" in case.container("after-restore")["command"]) == (name is None)
    assert case.container("after-restore")["command"][-1] == last
    assert job["spec"]["backoffLimit"] == 0  # an operator inspects the result before a retry


def test_the_restore_job_renders_alone_with_its_policy() -> None:
    """As in docs/backup.md for kubectl."""
    alone = ("--show-only", "templates/after-restore.yaml")
    kinds = [one["kind"] for one in rendered("after-restore", *alone).objects]
    assert sorted(kinds) == ["Job", "NetworkPolicy"]
    alone = ("--show-only", "templates/migration.yaml", "--set", "migration.mode=hook")
    kinds = [one["kind"] for one in rendered("try-out", *alone).objects]
    assert sorted(kinds) == ["Job", "NetworkPolicy"]


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ("backupRecord.enabled=true", "backupRecord.existingClaim: a claim for the records"),
        (
            "backupRecord.enabled=true,backupRecord.existingClaim=pastelka-files",
            "is the claim of the files",
        ),
        ("backupRecord.fileNames=a/b", "does not match pattern"),
        ("backupRecord.image=x", "additional properties 'image' not allowed"),
        ("afterRestore.enabled=true", "afterRestore needs either record"),
        (f"{RESTORE},afterRestore.withoutRecord=true", "afterRestore needs either record"),
        ("afterRestore.enabled=true,afterRestore.record=a.json", "both are empty"),
        ("afterRestore.record=../a.json", "does not match pattern"),
    ],
)
def test_invalid_values_are_rejected_with_a_message(settings: str, complaint: str) -> None:
    done = template("minimal", "--set", settings)
    assert done.returncode != 0
    assert complaint in done.stderr, done.stderr


async def test_the_job_commands_write_and_apply_a_record(
    database_url: str, nats_server: NatsServer, tmp_path: Path
) -> None:
    """Run both commands of the containers with a real database and broker: write a record, apply it."""
    url = database_url.replace("postgresql://", "postgresql+asyncpg://", 1)
    await migrations_runner.upgrade(url)
    writing = _with(RECORDS).container("backup-record")
    _run(_here(writing, tmp_path), _environment(writing, DATABASE_URL=url))
    (record,) = tmp_path.iterdir()  # noqa: ASYNC240 - nothing else runs in this loop
    days = {f"{datetime.now(UTC) - timedelta(hours=hours):%a-%H}" for hours in (0, 1)}
    assert re.fullmatch(r"record-(.*)\.json", record.name)[1] in days  # type: ignore[index]
    assert json.loads(record.read_text())["format"] == 1

    (tmp_path / "files").mkdir()
    settings = f"{RESTORE},afterRestore.record={record.name},storage.path={tmp_path}/files"
    taking = _with(settings).container("after-restore")
    said = _run(_here(taking, tmp_path), _environment(taking, DATABASE_URL=url, NATS_URL=nats_server.url))
    assert "sessions ended: 0" in said


def _run(command: list[str], environment: dict[str, str]) -> str:
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_documented_commands_run_as_written(tmp_path: Path) -> None:
    """Run the commands of docs/backup.md with the real helm and a fake kubectl that stores its input."""
    text = (FOLDER.parents[2] / "docs" / "backup.md").read_text()
    (lines,) = [block for block in re.findall(r"(?ms)^```\w*\n(.*?)^```", text) if "job()" in block]
    values = f"{values_file('after-restore')}"
    _program(
        tmp_path / "kubectl", f'echo "$*" >> {tmp_path}/asked; [ "$1" != apply ] || cat >> {tmp_path}/applied'
    )
    _program(tmp_path / "helm", f'if [ "$1" = get ]; then cat {values}; else exec {program("helm")} "$@"; fi')
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "HOME": str(tmp_path)}
    (tmp_path / "deploy").symlink_to(FOLDER.parents[1])
    command = ["bash", "-euo", "pipefail", "-c", lines]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    applied = [one for one in yaml.safe_load_all((tmp_path / "applied").read_text()) if one]
    made = [one["metadata"]["name"].removeprefix("pastelka-") for one in applied if one["kind"] == "Job"]
    assert made == ["migration", "after-restore-dry-run", "after-restore"]
    named = re.findall(r"(?:job/|deployment )(pastelka[-a-z ]*?)(?= --|\n)", (tmp_path / "asked").read_text())
    known = {f"pastelka-{name}" for name in (*COMPONENTS, *made)}
    assert {name for some in named for name in some.split()} <= known


def _program(file: Path, script: str) -> None:
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
