"""The application over a real database, called in process."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI
from PIL import Image

from pastelka_common.storage import Storage
from pastelka_orders.api.app import create_app
from pastelka_orders.settings import OrdersSettings

SUBSCRIBER_KEY = "a-subscriber-key-of-at-least-32-bytes!"


@dataclass(frozen=True)
class Api:
    """The API with its storage folder."""

    http: httpx.AsyncClient
    storage: Path
    app: FastAPI

    async def get(self, path: str, *, status: int = 200) -> Any:
        """GET; returns the document."""
        return await self._document(await self.http.get(path), status)

    async def post(self, path: str, body: Any = None, *, status: int = 202) -> Any:
        """POST; returns the document."""
        content = None if body is None else json.dumps(body)
        headers = {} if body is None else {"Content-Type": "application/json"}
        return await self._document(await self.http.post(path, content=content, headers=headers), status)

    async def order(self, photos: int = 1, **fields: str) -> Any:
        """Create a manual order of ``photos`` photos."""
        return await self.upload([(f"{n}.jpg", jpeg(n)) for n in range(1, photos + 1)], **fields)

    async def upload(self, files: list[tuple[str, bytes]], *, status: int = 201, **fields: str) -> Any:
        """POST an order with these files."""
        sent = [("photos", (name, content, "application/octet-stream")) for name, content in files]
        return await self._document(await self.http.post("/orders", files=sent, data=fields), status)

    @property
    def stored(self) -> Storage:
        """The storage, a folder or a bucket."""
        found: Storage = self.app.state.services.storage
        return found

    def files(self) -> list[str]:
        """All files in the storage's folder, relative to its root."""
        return sorted(p.relative_to(self.storage).as_posix() for p in self.storage.rglob("*") if p.is_file())

    @staticmethod
    async def _document(response: httpx.Response, status: int) -> Any:
        assert response.status_code == status, response.text
        if status >= 400:
            assert response.headers["content-type"] == "application/problem+json"
            problem = response.json()
            assert problem["status"] == status
            assert problem["type"] == f"urn:pastelka:{problem['code']}"
            assert problem["detail"]
        return response.json() if response.content else None


@asynccontextmanager
async def serving(settings: OrdersSettings, *, peer: str = "127.0.0.1") -> AsyncIterator[Api]:
    """The application with other settings, called in process with ``peer`` as the client's address."""
    app = create_app(settings)
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False, client=(peer, 50_000))
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://localhost/api/v1") as http,
    ):
        yield Api(http, settings.storage_path, app)


def jpeg(seed: int = 1, *, width: int = 120, height: int = 90) -> bytes:
    """A small photo that differs for each ``seed``."""
    buffer = BytesIO()
    Image.new("RGB", (width, height), (seed * 40 % 256, seed * 90 % 256, 120)).save(buffer, "JPEG")
    return buffer.getvalue()
