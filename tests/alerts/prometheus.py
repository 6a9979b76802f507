"""A real Prometheus, built once from its Go module, that scrapes the services of a stack."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import yaml

from pastelka_common.servers import free_port
from pastelka_common.servers.go_program import GoProgram
from pastelka_common.testing.waiting import until

_PROGRAM = GoProgram(
    name="prometheus",
    title="Prometheus",
    sources=Path(__file__).with_name("prometheus-build"),
    package="github.com/prometheus/prometheus/cmd/prometheus",
    # Without cloud service discovery, which is most of the program.
    flags=("-mod=mod", "-tags=remove_all_sd"),
    duration="five to eight minutes",
)
_READY_SECONDS = 60
_POLL_SECONDS = 0.5


class PrometheusMissingError(Exception):
    """Prometheus is not on the PATH, and Go is not installed to build it."""


def program() -> Path:
    """Path of Prometheus: on the ``PATH``, or built by Go (once; five to eight minutes).

    Raises :class:`PrometheusMissingError`, ``ServerError``.
    """
    found = shutil.which("prometheus")
    if found is not None:
        return Path(found)
    if not _PROGRAM.is_obtainable:
        raise PrometheusMissingError("neither prometheus nor Go is on the PATH")
    return _PROGRAM.get(lambda line: print(line, flush=True))


@dataclass(frozen=True)
class Prometheus:
    """A running Prometheus; ``http`` is the client for its API."""

    url: str
    http: aiohttp.ClientSession

    async def is_ready(self) -> bool:
        """Whether it responds."""
        try:
            async with self.http.get(f"{self.url}/-/ready") as response:
                return response.status == 200
        except aiohttp.ClientError:
            return False

    async def targets_up(self) -> int:
        """Number of services whose last scrape succeeded."""
        targets = (await self._get("/api/v1/targets"))["activeTargets"]
        return sum(target["health"] == "up" for target in targets)

    async def firing(self) -> dict[str, str]:
        """The firing alerts with their summaries; rules are evaluated every second."""
        await asyncio.sleep(_POLL_SECONDS)
        alerts = (await self._get("/api/v1/alerts"))["alerts"]
        return {
            alert["labels"]["alertname"]: alert["annotations"]["summary"]
            for alert in alerts
            if alert["state"] == "firing"
        }

    async def broken_rules(self) -> list[str]:
        """Rules whose last evaluation failed."""
        groups = (await self._get("/api/v1/rules"))["groups"]
        return [r["name"] for group in groups for r in group["rules"] if r["health"] == "err"]

    async def _get(self, path: str) -> Any:
        async with self.http.get(f"{self.url}{path}") as response:
            response.raise_for_status()
            return (await response.json())["data"]


@asynccontextmanager
async def running_prometheus(
    folder: Path, rules: Mapping[str, Any], targets: Mapping[str, str]
) -> AsyncIterator[Prometheus]:
    """Run Prometheus with these rules and targets (name and ``host:port``), scraped every second."""
    _configure(folder, rules, targets)
    address = f"127.0.0.1:{free_port()}"
    with (folder / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            program(),
            f"--config.file={folder / 'prometheus.yaml'}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address={address}",
            stdout=log,
            stderr=log,
        )
        try:
            async with aiohttp.ClientSession() as http:
                prometheus = Prometheus(f"http://{address}", http)
                await until(prometheus.is_ready, _READY_SECONDS)
                yield prometheus
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()


def _configure(folder: Path, rules: Mapping[str, Any], targets: Mapping[str, str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "rules.yaml").write_text(yaml.safe_dump(dict(rules)), encoding="utf-8")
    (folder / "prometheus.yaml").write_text(yaml.safe_dump(_configuration(targets)), encoding="utf-8")


def _configuration(targets: Mapping[str, str]) -> dict[str, Any]:
    return {
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
        "rule_files": ["rules.yaml"],
        "scrape_configs": [
            {
                "job_name": "pastelka",
                "static_configs": [
                    {"targets": [address], "labels": {"service": name}} for name, address in targets.items()
                ],
            }
        ],
    }
