"""The Kubernetes API as plain HTTP: responses, rejections and warnings."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import httpx
import yaml

Object = dict[str, Any]

_PAUSE = 0.2
_PLURALS = {"NetworkPolicy": "networkpolicies", "Ingress": "ingresses"}
_CLUSTER = {
    "Namespace", "Node", "PersistentVolume", "CustomResourceDefinition", "APIService", "ClusterRole",
    "ClusterRoleBinding", "PriorityClass", "RuntimeClass", "ValidatingWebhookConfiguration",
}  # fmt: skip


class RejectedError(Exception):
    """The server rejected a request; the message is its own."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status


@dataclass(frozen=True)
class Answer:
    """The stored object, and the server's warnings."""

    body: Object
    warnings: tuple[str, ...]


class Api:
    """A client with a client certificate."""

    def __init__(self, url: str, authority: str, certificate: tuple[str, str]) -> None:
        context = ssl.create_default_context(cafile=authority)
        context.load_cert_chain(*certificate)
        self._http = httpx.AsyncClient(base_url=url, verify=context, timeout=60, trust_env=False)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def answers(self, path: str) -> bool:
        """Whether a GET of ``path`` returns 200."""
        try:
            return (await self._http.get(path)).status_code == HTTPStatus.OK
        except httpx.HTTPError:
            return False

    async def get(self, api: str, kind: str, name: str, namespace: str = "") -> Object | None:
        """An object, or ``None`` if it does not exist."""
        try:
            return (await self._ask("GET", _path(api, kind, namespace, name))).body
        except RejectedError as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return None
            raise

    async def objects(self, api: str, kind: str, namespace: str = "", selector: str = "") -> list[Object]:
        """The objects of a kind."""
        params = {"labelSelector": selector} if selector else {}
        answer = await self._ask("GET", _path(api, kind, namespace), params=params)
        items: list[Object] = answer.body["items"]
        return items

    async def create(self, one: Object, namespace: str = "", *, dry_run: bool = False) -> Answer:
        """Create an object with strict field validation."""
        params = {"fieldValidation": "Strict", **({"dryRun": "All"} if dry_run else {})}
        path = _path(one["apiVersion"], one["kind"], namespace)
        return await self._ask("POST", path, params=params, json=one)

    async def apply(self, one: Object, namespace: str = "") -> Answer:
        """Server-side apply."""
        path = _path(one["apiVersion"], one["kind"], namespace, one["metadata"]["name"])
        headers = {"Content-Type": "application/apply-patch+yaml"}
        params = {"fieldManager": "test", "force": "true"}
        return await self._ask("PATCH", path, params=params, headers=headers, content=yaml.safe_dump(one))

    async def patch(self, api: str, kind: str, name: str, change: Object, namespace: str = "") -> Answer:
        """Apply a merge patch."""
        headers = {"Content-Type": "application/merge-patch+json"}
        return await self._ask("PATCH", _path(api, kind, namespace, name), headers=headers, json=change)

    async def delete(self, api: str, kind: str, name: str, namespace: str = "") -> None:
        """Delete an object and its dependents."""
        params = {"propagationPolicy": "Background"}
        await self._ask("DELETE", _path(api, kind, namespace, name), params=params)

    async def evict(self, pod: str, namespace: str) -> None:
        """Evict a pod. Raises :class:`RejectedError` (429) if a budget forbids it now."""
        eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod}}
        await self._ask("POST", f"{_path('v1', 'Pod', namespace, pod)}/eviction", json=eviction)

    async def everything(self, namespace: str) -> list[Object]:
        """Every object of a namespace, of any kind, with its ``kind`` filled in."""
        found = []
        for version, path in await self._versions():
            for resource in (await self._ask("GET", path)).body["resources"]:
                if resource["namespaced"] and {"list", "delete"} <= set(resource["verbs"]):
                    answer = await self._ask("GET", f"{path}/namespaces/{namespace}/{resource['name']}")
                    kind = {"apiVersion": version, "kind": resource["kind"]}
                    found += [kind | one for one in answer.body["items"]]
        return found

    async def watch(self, api: str, kind: str, namespace: str) -> AsyncIterator[Object]:
        """Yield the objects of a kind and their changes until the caller stops."""
        path = _path(api, kind, namespace)
        params = {"watch": "true", "allowWatchBookmarks": "false"}
        async with self._http.stream("GET", path, params=params, timeout=None) as answer:
            async for line in answer.aiter_lines():
                event = json.loads(line)
                if event["type"] in {"ADDED", "MODIFIED"}:
                    yield event["object"]

    async def _versions(self) -> list[tuple[str, str]]:
        groups = (await self._ask("GET", "/apis")).body["groups"]
        versions = [group["preferredVersion"]["groupVersion"] for group in groups]
        kept = [version for version in versions if "metrics" not in version]
        return [("v1", "/api/v1"), *((version, f"/apis/{version}") for version in kept)]

    async def _ask(self, method: str, path: str, **more: Any) -> Answer:
        answer = await self._http.request(method, path, **more)
        while method == "GET" and answer.status_code == HTTPStatus.TOO_MANY_REQUESTS:
            await asyncio.sleep(_PAUSE)  # a kind that was just defined
            answer = await self._http.request(method, path, **more)
        body = answer.json() if answer.content else {}
        if answer.is_error:
            raise RejectedError(answer.status_code, body.get("message", answer.text))
        return Answer(body, tuple(_warnings(answer.headers)))


def _warnings(headers: httpx.Headers) -> list[str]:
    """Texts of the headers ``Warning: 299 - "..."``."""
    return [line.split('"', 1)[-1].rstrip('"') for line in headers.get_list("warning")]


def _path(api: str, kind: str, namespace: str = "", name: str = "") -> str:
    root = f"/api/{api}" if "/" not in api else f"/apis/{api}"
    inside = f"/namespaces/{namespace}" if namespace and kind not in _CLUSTER else ""
    plural = _PLURALS.get(kind, f"{kind.lower()}{'es' if kind.endswith('s') else 's'}")
    return f"{root}{inside}/{plural}{f'/{name}' if name else ''}"


def kubeconfig(url: str, authority: str, certificate: str, key: str) -> Mapping[str, Any]:
    """The kubeconfig for helm and the controllers."""
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "test", "cluster": {"server": url, "certificate-authority": authority}}],
        "users": [{"name": "test", "user": {"client-certificate": certificate, "client-key": key}}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
        "current-context": "test",
    }
