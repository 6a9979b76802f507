"""What the tests of version jobs share: handlers as their processes have them, and the stored facts."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from nats.aio.client import Client
from nats.js import JetStreamContext

from pastelka_common.contracts.messages import ColoringFact
from pastelka_common.contracts.statuses import StatusType
from pastelka_common.jobs.active_runs import ActiveRunRegistry
from pastelka_common.jobs.handler import VersionJobHandler
from pastelka_common.jobs.records import RunRecords
from pastelka_common.messaging.publish import Publisher
from pastelka_common.messaging.topology import STATUS
from pastelka_common.storage import FolderStorage, Storage

NewHandler = Callable[..., Awaitable[VersionJobHandler[Any]]]
Facts = Callable[[], Awaitable[list[ColoringFact]]]


@pytest.fixture
def new_handler(connect: Callable[[], Awaitable[Client]], nc: Client, tmp_path: Path) -> NewHandler:
    """``await new_handler(generator)`` handles jobs as a process with a connection of its own."""

    async def start(
        generator: Any, storage: Storage | None = None, kind: StatusType = "coloring"
    ) -> VersionJobHandler[Any]:
        client = await connect()
        return VersionJobHandler(
            Publisher(client),
            await RunRecords.open(client),
            await ActiveRunRegistry.open(client, kind),
            storage or FolderStorage(tmp_path),
            generator,
            "test",
        )

    return start


@pytest.fixture
def facts(js: JetStreamContext) -> Facts:
    """``await facts()`` is every fact reported so far, in the order they were stored."""

    async def facts() -> list[ColoringFact]:
        last = (await js.stream_info(STATUS)).state.last_seq
        return [
            ColoringFact.model_validate_json((await js.get_msg(STATUS, number)).data or b"")
            for number in range(1, last + 1)
        ]

    return facts
