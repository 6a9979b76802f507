"""Docker Compose's own interpretation of the files."""

import json
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.compose import files
from tests.compose.composer import WITHOUT, command

pytestmark = pytest.mark.timeout(900)  # Go may have to build it first

_REQUIRED = ("POSTGRES_PASSWORD", "NATS_PASSWORD", "MERCURE_PUBLISHER_JWT_KEY", "MERCURE_SUBSCRIBER_JWT_KEY")


@pytest.fixture(scope="module")
def compose() -> Sequence[str]:
    found = command()
    if found is None:
        pytest.skip(WITHOUT)
    return found


def _config(compose: Sequence[str], env_file: Path, *overrides: str) -> subprocess.CompletedProcess[str]:
    chosen = [files.ROOT / "compose.yaml", *(files.FOLDER / one for one in overrides)]
    options = [part for file in chosen for part in ("-f", str(file))]
    return subprocess.run(
        [*compose, "--env-file", str(env_file), *options, "config", "--format", "json"],
        cwd=files.ROOT,
        # Variables that locate plugins; none that could be a setting.
        env={name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "DOCKER_CONFIG"}},
        capture_output=True,
        text=True,
        check=False,
    )


def _env(folder: Path, **values: str) -> Path:
    """A ``.env`` made from the example."""
    text = files.EXAMPLE.read_text()
    file = folder / "env"
    file.write_text(text + "".join(f"{name}={value}\n" for name, value in values.items()))
    return file


def _services(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)["services"]
    return found


def test_the_completed_example_is_sufficient(compose: Sequence[str], tmp_path: Path) -> None:
    services = _services(_config(compose, _env(tmp_path, **dict.fromkeys(_REQUIRED, "a" * 32))))

    assert services.keys() == files.services().keys()
    database = services["orders-api"]["environment"]["DATABASE_URL"]
    assert database == f"postgresql+asyncpg://pastelka:{'a' * 32}@postgres:5432/pastelka"
    assert {port["host_ip"] for port in services["gateway"]["ports"]} == {"127.0.0.1"}
    assert services["coloring"]["environment"]["COLORING_PROVIDER"] is None


def test_a_missing_required_variable_is_named(compose: Sequence[str], tmp_path: Path) -> None:
    done = _config(compose, _env(tmp_path))

    assert done.returncode != 0
    for name in _REQUIRED:
        assert f"required variable {name} is missing a value: set it in .env; " in done.stderr


def test_settings_of_the_environment_file_arrive(compose: Sequence[str], tmp_path: Path) -> None:
    given = {"AUTO_PROCESS": "svg", "COLORING_REPLICAS": "3", "PASTELKA_PORT": "9000", "SHUTDOWN_GRACE": "40"}
    file = _env(tmp_path, **dict.fromkeys(_REQUIRED, "a" * 32), **given, STOP_GRACE_PERIOD="60s")

    services = _services(_config(compose, file))

    assert services["orders-worker"]["environment"]["AUTO_PROCESS"] == "svg"
    assert services["coloring"]["deploy"]["replicas"] == 3
    assert services["gateway"]["ports"][0]["published"] == "9000"
    assert services["vectorize"]["environment"]["SHUTDOWN_GRACE"] == "40"
    assert services["vectorize"]["stop_grace_period"] == "1m0s"


@pytest.mark.parametrize(
    ("override", "service", "provider", "keys"),
    [
        ("compose.runpod.yaml", "coloring", "runpod", ("RUNPOD_API_KEY", "RUNPOD_ENDPOINT_ID")),
        (
            "compose.vectorizer.yaml",
            "vectorize",
            "vectorizer",
            ("VECTORIZER_API_KEY", "VECTORIZER_API_SECRET"),
        ),
    ],
)
def test_paid_providers_require_their_keys(
    compose: Sequence[str], tmp_path: Path, override: str, service: str, provider: str, keys: Sequence[str]
) -> None:
    required = dict.fromkeys(_REQUIRED, "a" * 32)

    without = _config(compose, _env(tmp_path, **required), override)
    given = _services(_config(compose, _env(tmp_path, **required, **dict.fromkeys(keys, "k")), override))

    assert without.returncode != 0
    assert all(f"required variable {key} is missing a value" in without.stderr for key in keys)
    assert given[service]["environment"][f"{service.upper()}_PROVIDER"] == provider
    assert given[service]["image"].startswith(f"pastelka-{service}:")
