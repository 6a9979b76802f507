"""``python dropped_packets.py FOLDER``, in a network namespace of its own: what dropped packets cost.

Prints as its last line, as JSON, how long a read and a write took whose connections lose every packet.
"""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import psutil
import uvloop
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_common.servers import PostgresServer, running
from pastelka_orders.database import Database, DatabaseUnavailableError


async def _main(folder: Path) -> None:
    async with running(PostgresServer(folder=folder, durable=False)) as process:
        server = process.server
        database = Database(process.url.replace("postgresql://", "postgresql+asyncpg://"))
        await asyncio.gather(
            *(database.read(_one) for _ in range(4)), *(database.write(_one) for _ in range(4))
        )
        _drop_established(server.port)
        outcome = dict(
            zip(
                ("read", "write"),
                await asyncio.gather(_timed(database.read), _timed(database.write)),
                strict=True,
            )
        )
        sys.stdout.write(f"\n{json.dumps(outcome)}\n")


async def _timed(do: Callable[[Callable[[AsyncConnection], Awaitable[int]]], Awaitable[int]]) -> float:
    begun = time.monotonic()
    try:
        await do(_one)
    except DatabaseUnavailableError as error:
        sys.stderr.write(f"refused: {error}\n")
    return time.monotonic() - begun


async def _one(connection: AsyncConnection) -> int:
    return int((await connection.execute(text("SELECT 1"))).scalar_one())


def _drop_established(port: int) -> None:
    """Drop every packet of our connections to ``port``; new ones get other ports."""
    for connection in psutil.Process().net_connections():
        if connection.raddr and connection.raddr.port == port:
            ours = connection.laddr.port
            for source, target in ((ours, port), (port, ours)):
                rule = ["-p", "tcp", "--sport", str(source), "--dport", str(target), "-j", "DROP"]
                subprocess.run(["iptables", "-A", "INPUT", *rule], check=True)


if __name__ == "__main__":
    uvloop.run(_main(Path(sys.argv[1])))
