"""An order with any number can be opened and deleted through the gateway."""

from pathlib import Path
from urllib.parse import quote

import aiohttp
import asyncpg
from yarl import URL

from tests.gateway.system import gateway_system

NUMBERS = ["1001\r\n", "10\r\n01", "\x1b[31m1001", ".hidden", "1001.js", "10\u202e01", "10 01%", "?#&"]


async def test_an_order_of_any_number_is_opened_and_deleted(database_url: str, tmp_path: Path) -> None:
    connection = await asyncpg.connect(database_url)
    found: dict[str, list[int]] = {}
    try:
        async with (
            gateway_system(tmp_path, database_url, mode="open") as system,
            aiohttp.ClientSession(headers={"Host": f"localhost:{system.nginx.port}"}) as http,
        ):
            for number in NUMBERS:
                made = await system.create_order()
                await connection.execute(
                    "UPDATE orders SET order_number = $1 WHERE order_number = $2", number, made
                )
                base = f"{system.nginx.url}/api/v1/orders/{quote(number, safe='')}"
                found[number] = []
                for method, path in (("GET", ""), ("GET", "/timeline"), ("DELETE", ""), ("GET", "")):
                    async with http.request(method, URL(base + path, encoded=True)) as response:
                        found[number].append(response.status)
    finally:
        await connection.close()
    assert found == {number: [200, 200, 204, 404] for number in NUMBERS}
