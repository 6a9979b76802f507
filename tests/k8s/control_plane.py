"""A real control plane with simulated nodes: etcd, kube-apiserver, controllers, scheduler, KWOK.

Everything listens on the loopback of a separate network namespace (``python -m tests.k8s``). No pod executes:
KWOK reports them as running in place of a kubelet.
"""

from pathlib import Path
from typing import Any, Self

import httpx
import yaml

from tests.k8s.api import Api, Object, kubeconfig
from tests.k8s.daemons import Daemons
from tests.k8s.pki import Pki
from tests.k8s.programs import go_module, program

KWOK_MODULE = "sigs.k8s.io/kwok@v0.8.0"
NODES = ("node-0", "node-1")

_ETCD, _PEERS, _API, _KWOK = 12379, 12380, 16443, 10247
_STAGES = ("node/fast", "node/heartbeat-with-lease", "pod/fast")


class ControlPlane:
    """The cluster below ``folder``; an asynchronous context manager."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.pki = Pki(folder / "pki")
        self.daemons = Daemons(folder)
        self.url = f"https://127.0.0.1:{_API}"
        self.api: Api

    async def __aenter__(self) -> Self:
        try:
            await self._start()
        except BaseException:
            self.daemons.stop()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.api.aclose()
        self.daemons.stop()

    def kubeconfig(self, who: str) -> Path:
        """Path of the kubeconfig of the user ``who``."""
        file = self.folder / f"{who}.kubeconfig"
        if not file.exists():
            login = kubeconfig(self.url, self.pki.crt("ca"), self.pki.crt(who), self.pki.key(who))
            file.write_text(yaml.safe_dump(login))
        return file

    async def _start(self) -> None:
        self.pki.make()
        self.api = Api(self.url, self.pki.crt("ca"), (self.pki.crt("admin"), self.pki.key("admin")))
        self.daemons.start("etcd", self._etcd())
        await self.daemons.ready("etcd", _etcd_answers)
        self.daemons.start("kube-apiserver", self._apiserver())
        await self.daemons.ready("kube-apiserver", lambda: self.api.answers("/readyz"))
        self.daemons.start("kwok", self._kwok())
        for node in NODES:
            await self.api.create(_node(node))
        self.daemons.start("kube-controller-manager", self._controller_manager())
        self.daemons.start("kube-scheduler", self._controller("kube-scheduler", "scheduler"))
        await self.daemons.ready("kwok", self._nodes_are_ready)
        await self.daemons.ready("kube-controller-manager", self._accounts_are_made)

    def _etcd(self) -> list[str]:
        client, peer = f"http://127.0.0.1:{_ETCD}", f"http://127.0.0.1:{_PEERS}"
        return [
            str(program("etcd")),
            f"--data-dir={self.folder / 'etcd'}",
            *(f"--{name}={client}" for name in ("listen-client-urls", "advertise-client-urls")),
            *(f"--{name}={peer}" for name in ("listen-peer-urls", "initial-advertise-peer-urls")),
            f"--initial-cluster=default={peer}",
            "--unsafe-no-fsync",
            "--log-level=warn",
        ]

    def _apiserver(self) -> list[str]:
        pki = self.pki
        return [
            str(program("kube-apiserver")),
            f"--etcd-servers=http://127.0.0.1:{_ETCD}",
            "--bind-address=127.0.0.1",
            "--advertise-address=127.0.0.1",
            f"--secure-port={_API}",
            # A loopback address is not a valid endpoint of the service `kubernetes`.
            "--endpoint-reconciler-type=none",
            "--service-cluster-ip-range=10.0.0.0/24",
            "--authorization-mode=RBAC",
            f"--tls-cert-file={pki.crt('apiserver')}",
            f"--tls-private-key-file={pki.key('apiserver')}",
            f"--client-ca-file={pki.crt('ca')}",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={pki.folder / 'accounts.pub'}",
            f"--service-account-signing-key-file={pki.key('accounts')}",
            f"--requestheader-client-ca-file={pki.crt('ca')}",
            "--requestheader-allowed-names=front-proxy-client",
            "--requestheader-username-headers=X-Remote-User",
            "--requestheader-group-headers=X-Remote-Group",
            "--requestheader-extra-headers-prefix=X-Remote-Extra-",
            f"--proxy-client-cert-file={pki.crt('front-proxy')}",
            f"--proxy-client-key-file={pki.key('front-proxy')}",
        ]

    def _controller(self, name: str, who: str) -> list[str]:
        login = self.kubeconfig(who)
        kinds = ("kubeconfig", "authentication-kubeconfig", "authorization-kubeconfig")
        return [
            str(program(name)),
            *(f"--{kind}={login}" for kind in kinds),
            "--bind-address=127.0.0.1",
            "--leader-elect=false",
        ]

    def _controller_manager(self) -> list[str]:
        return [
            *self._controller("kube-controller-manager", "controller-manager"),
            "--use-service-account-credentials",
            f"--service-account-private-key-file={self.pki.key('accounts')}",
            f"--root-ca-file={self.pki.crt('ca')}",
            # Shorter delays than an operator would choose.
            "--horizontal-pod-autoscaler-sync-period=2s",
        ]

    def _kwok(self) -> list[str]:
        stages = self.folder / "stages.yaml"
        stages.write_text("\n---\n".join(_stage_files()))
        return [
            str(program("kwok")),
            f"--kubeconfig={self.kubeconfig('admin')}",
            f"--config={stages}",
            "--manage-all-nodes=true",
            "--node-ip=127.0.0.1",
            f"--node-port={_KWOK}",
            f"--server-address=127.0.0.1:{_KWOK}",
            "--cidr=10.1.0.0/16",
            "--node-lease-duration-seconds=40",
            "--enable-crds=",
        ]

    async def _nodes_are_ready(self) -> bool:
        nodes = await self.api.objects("v1", "Node")
        return len(nodes) == len(NODES) and all(_is_ready(node) for node in nodes)

    async def _accounts_are_made(self) -> bool:
        return await self.api.get("v1", "ServiceAccount", "default", "default") is not None


def _stage_files() -> list[str]:
    folder = go_module(KWOK_MODULE) / "kustomize" / "stage"
    files = [file for stage in _STAGES for file in sorted((folder / stage).glob("*.yaml"))]
    return [file.read_text() for file in files if file.name != "kustomization.yaml"]


async def _etcd_answers() -> bool:
    try:
        async with httpx.AsyncClient(trust_env=False) as client:
            return (await client.get(f"http://127.0.0.1:{_ETCD}/health")).is_success
    except httpx.HTTPError:
        return False


def _node(name: str) -> Object:
    room = {"cpu": "32", "memory": "256Gi", "pods": "110", "ephemeral-storage": "1Ti", "nvidia.com/gpu": "4"}
    labels = {
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "topology.kubernetes.io/zone": f"zone-{name[-1]}",
    }
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": labels, "annotations": {"kwok.x-k8s.io/node": "fake"}},
        "status": {"allocatable": room, "capacity": room},
    }


def _is_ready(node: Object) -> bool:
    conditions: list[dict[str, Any]] = node.get("status", {}).get("conditions", [])
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)
