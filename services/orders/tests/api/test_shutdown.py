"""An API process that is asked to end answers what it has begun to read."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx

from pastelka_common.servers import free_port
from pastelka_common.testing.waiting import until
from services.orders.tests.api_client import jpeg

_BOUNDARY = "pastelka"
_HEAD = (
    f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="photos"; filename="1.jpg"\r\n'
    "Content-Type: image/jpeg\r\n\r\n"
).encode()
_TAIL = f"\r\n--{_BOUNDARY}--\r\n".encode()


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return True


async def test_an_upload_in_progress_at_sigterm_completes(orders_url: str, tmp_path: Path) -> None:
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "pastelka_orders.entrypoints.api"),
        env={
            **os.environ,
            "DATABASE_URL": orders_url,
            "STORAGE_PATH": str(tmp_path / "images"),
            "HOST": "127.0.0.1",
            "PORT": str(port),
        },
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )

    async def gone_from_its_port() -> bool:
        return not await _listens(port)

    async def photo() -> AsyncIterator[bytes]:
        content = jpeg()
        yield _HEAD + content[:100]
        process.send_signal(signal.SIGTERM)
        await until(gone_from_its_port, 30)
        yield content[100:] + _TAIL

    try:
        await until(lambda: _listens(port), 60)
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}/api/v1", timeout=60) as client:
            # Whatever is asked first, the process has certainly begun to serve this connection.
            assert (await client.get("/orders")).status_code == 200
            answer = await client.post(
                "/orders",
                content=photo(),
                headers={"Content-Type": f"multipart/form-data; boundary={_BOUNDARY}"},
            )
        assert answer.status_code == 201, answer.text
        assert answer.headers.get("connection") == "close"
        assert await asyncio.wait_for(process.wait(), 30) in {0, -signal.SIGTERM}
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
