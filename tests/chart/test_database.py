"""Database migrations, and the objects that `tryOut` generates."""

import base64

import pytest

from tests.chart.chart import Rendered, rendered


def test_a_hook_job_migrates_before_any_other_object_exists() -> None:
    case = rendered("external")
    job = case.of("Job")["migration"]
    assert job["metadata"]["annotations"]["helm.sh/hook"] == "pre-install,pre-upgrade"
    policy = case.of("NetworkPolicy")["migration"]
    weights = [int(one["metadata"]["annotations"]["helm.sh/hook-weight"]) for one in (policy, job)]
    assert weights == sorted(weights)
    assert weights[0] < weights[1]


def test_the_migration_job_needs_no_object_of_the_release() -> None:
    """The Job runs before the release's objects exist: it may reference only Secrets of the operator."""
    for name in ("external", "minimal", "everything"):
        case = rendered(name)
        spec = case.pods()["migration"]["spec"]
        own = {
            one["metadata"]["name"]
            for one in case.objects
            if "helm.sh/hook" not in one["metadata"].get("annotations", {})
        }
        assert not own & {
            spec["serviceAccountName"],
            *(
                variable["valueFrom"]["secretKeyRef"]["name"]
                for variable in spec["containers"][0]["env"]
                if "valueFrom" in variable
            ),
        }
        assert not any("persistentVolumeClaim" in volume for volume in spec["volumes"])


@pytest.mark.parametrize(
    ("arguments", "job", "init"),
    [
        (("minimal",), True, False),
        (("try-out",), False, True),
        (("minimal", "--set", "migration.mode=initContainer"), False, True),
        (("minimal", "--set", "migration.mode=none"), False, False),
        (("try-out", "--set", "database.existingSecret=elsewhere"), True, False),
    ],
)
def test_exactly_one_mechanism_migrates_the_database(
    arguments: tuple[str, ...], job: bool, init: bool
) -> None:
    case = rendered(*arguments)
    assert ("migration" in case.of("Job")) == job
    for component in ("orders-api", "orders-worker"):
        containers = case.pods()[component]["spec"].get("initContainers", [])
        assert [one["command"][-1] for one in containers] == ["pastelka_orders.entrypoints.migrate"] * init


def test_secrets_are_generated_for_try_out_only(case: Rendered) -> None:
    secrets = case.of("Secret")
    assert set(secrets) == ({"shop-pastelka-try-out"} if case.case == "try-out" else set())


def test_generated_try_out_secrets_are_complete_and_kept() -> None:
    secret = rendered("try-out").of("Secret")["shop-pastelka-try-out"]
    assert secret["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"
    data = {name: base64.b64decode(value).decode() for name, value in secret["data"].items()}
    assert data["password"] in data["DATABASE_URL"]
    assert data["DATABASE_URL"].startswith("postgresql+asyncpg://pastelka:")
    assert len(data["password"]) == 32
    assert len({data["publisher-jwt-key"], data["subscriber-jwt-key"], data["password"]}) == 3
    assert all(len(data[key]) == 48 for key in ("publisher-jwt-key", "subscriber-jwt-key"))


def test_every_referenced_secret_is_provided_or_generated(case: Rendered) -> None:
    drawn = {one["metadata"]["name"]: set(one["data"]) for one in case.of("Secret").values()}
    for _, container in case.containers():
        for variable in container.get("env", []):
            reference = variable.get("valueFrom", {}).get("secretKeyRef")
            if reference and reference["name"].endswith("-try-out"):
                assert reference["key"] in drawn[reference["name"]]


def test_files_survive_the_removal_of_the_release() -> None:
    claim = rendered("try-out").of("PersistentVolumeClaim")["shop-pastelka-files"]
    assert claim["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}
    assert claim["spec"]["accessModes"] == ["ReadWriteOnce"]
    assert not rendered("minimal").of("PersistentVolumeClaim")
    gone = rendered("everything").of("PersistentVolumeClaim")["studio-line-files"]
    assert "helm.sh/resource-policy" not in gone["metadata"]["annotations"]


def test_the_gateway_cannot_write_the_files(case: Rendered) -> None:
    if "files" not in str(case.container("gateway")["volumeMounts"]):
        assert "STORAGE_URL" in str(case.container("orders-api")["env"])
        return
    (mount,) = [one for one in case.container("gateway")["volumeMounts"] if one["name"] == "files"]
    assert mount["readOnly"] is True
    for component in ("orders-api", "orders-worker", "coloring", "vectorize"):
        (mount,) = [one for one in case.container(component)["volumeMounts"] if one["name"] == "files"]
        assert mount["mountPath"] == "/data/images"
        assert "readOnly" not in mount
