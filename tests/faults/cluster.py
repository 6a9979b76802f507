"""Three nats-servers on loopback instead of one, with three replicas of every stream and bucket."""

import asyncio
import contextlib
import json
import time
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import nats
import nats.errors

from pastelka_common.servers import NatsServer, free_port
from pastelka_common.servers.base import HOST
from pastelka_local.testing import RunningStack

SIZE = 3
_FORMING_SECONDS = 60.0
_LEADER_SECONDS = 30.0
_POLL_SECONDS = 0.2


@dataclass(kw_only=True)
class ClusterNode(NatsServer):
    """One server of a cluster; ``routes`` are the ports of the cluster routes."""

    number: int
    route_port: int = 0
    routes: list[int] = field(default_factory=list)

    async def ready(self) -> bool:
        """Whether it responds: a node may be unhealthy until it has found the others."""
        from pastelka_common.servers.base import responds  # noqa: PLC0415

        return await responds(f"{self.monitoring_url}/varz")

    def _settings(self) -> dict[str, object]:
        others = [f"nats://{HOST}:{port}" for port in self.routes if port != self.route_port]
        cluster = {"name": "pastelka", "listen": f"{HOST}:{self.route_port}", "routes": others}
        return {**super()._settings(), "server_name": f"pastelka-{self.number}", "cluster": cluster}


class ClusterStack(RunningStack):
    """The whole system on a cluster of :data:`SIZE` nats-servers (``nats-1``, ``nats-2``, ...)."""

    def _parts(self) -> dict[str, Any]:
        routes = [free_port() for _ in range(SIZE)]
        self.nodes = [
            ClusterNode(
                folder=self.folder / f"nats-{number}",
                number=number,
                password=self.nats.password,
                route_port=routes[number - 1],
                routes=routes,
            )
            for number in range(1, SIZE + 1)
        ]
        nodes = {f"nats-{node.number}": node for node in self.nodes}
        return {"postgres": self.postgres, "mercure": self.hub, **nodes}

    def env(self) -> dict[str, str]:
        """Environment of every service."""
        urls = ",".join(node.url for node in self.nodes)
        return {**super().env(), "NATS_URL": urls, "STREAM_REPLICAS": str(SIZE)}

    async def _migrate(self) -> None:
        await super()._migrate()
        await self._formed()

    async def _formed(self) -> None:
        """Wait until the servers have formed a cluster and elected a leader."""
        deadline = time.time() + _FORMING_SECONDS
        while not await self._has_leader():
            if time.time() > deadline:
                raise RuntimeError("the nats-servers did not form a cluster")
            await asyncio.sleep(_POLL_SECONDS)

    async def _has_leader(self) -> bool:
        async with (
            aiohttp.ClientSession() as http,
            http.get(f"{self.nodes[0].monitoring_url}/jsz") as response,
        ):
            meta = (await response.json()).get("meta_cluster", {})
        return bool(meta.get("leader")) and meta.get("cluster_size") == SIZE


def urls_of(stack: RunningStack) -> list[str]:
    """The broker's URLs for clients."""
    return [node.url for node in stack.nodes] if isinstance(stack, ClusterStack) else [stack.nats.url]


def node_names(stack: RunningStack) -> list[str]:
    """Names of the broker's processes in the stack."""
    return [name for name in stack.servers if name.startswith("nats")]


async def leader_of(stack: RunningStack, stream: str) -> str:
    """The process that leads a stream: the only server, or a node's name.

    While another fault is being repaired there is no leader: wait for one, then return the first node.
    """
    if not isinstance(stack, ClusterStack):
        return "nats"
    deadline = time.monotonic() + _LEADER_SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(nats.errors.Error, OSError, TimeoutError):
            if leader := await _reported_leader(stack, stream):
                return leader.replace("pastelka", "nats")
        await asyncio.sleep(_POLL_SECONDS)
    return node_names(stack)[0]


async def _reported_leader(stack: ClusterStack, stream: str) -> str | None:
    nc = await nats.connect(urls_of(stack), connect_timeout=5)
    try:
        answer = await nc.request(f"$JS.API.STREAM.INFO.{stream}", b"", timeout=2)
        leader: str | None = json.loads(answer.data).get("cluster", {}).get("leader")
        return leader
    finally:
        await nc.close()
