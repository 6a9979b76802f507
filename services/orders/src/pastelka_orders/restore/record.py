"""The record that is kept beside the backups: what a restore must not bring back, or give out again."""

from pathlib import Path
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError
from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_common.contracts.messages import now
from pastelka_orders.errors import ConflictError
from pastelka_orders.models.orders import ErasureReason
from pastelka_orders.repository import restore


class InvalidBackupRecordError(ConflictError, code="bad_record"):
    """A file that is no record."""


class ErasedOrder(BaseModel):
    """An order that was erased, or was to be."""

    model_config = ConfigDict(extra="forbid")

    order_id: int
    order_number: str
    reason: ErasureReason
    asked_by: str | None = None
    asked_at: AwareDatetime


class BackupRecord(BaseModel):
    """It names no customer, and holds no secret.

    ``ids`` are the highest numbers that each sequence has given out. ``users`` and ``tokens`` are those
    that are good; others of the restored database were taken away since.
    """

    model_config = ConfigDict(extra="forbid")

    format: Literal[1] = 1
    made_at: AwareDatetime
    erasures: list[ErasedOrder]
    suppressed: list[int]
    ids: dict[str, int]
    users: list[str]
    tokens: list[int]


async def take_record(connection: AsyncConnection) -> BackupRecord:
    """The record as of now."""
    return BackupRecord(
        made_at=now(),
        erasures=[ErasedOrder.model_validate(row) for row in await restore.erasures(connection)],
        suppressed=await restore.suppressed(connection),
        ids=await restore.ids(connection),
        users=await restore.active_users(connection),
        tokens=await restore.active_tokens(connection),
    )


def read_record(file: Path) -> BackupRecord:
    """The record in a file. Raises ``InvalidBackupRecordError``."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise InvalidBackupRecordError(f"{file} cannot be read: {error.strerror}.") from error
    return parse_record(content, of=str(file))


def parse_record(content: bytes, *, of: str) -> BackupRecord:
    """The record that ``content`` is; ``of`` names where it is from. Raises ``InvalidBackupRecordError``."""
    try:
        return BackupRecord.model_validate_json(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "all of it"
        raise InvalidBackupRecordError(
            f"{of} is no record of `backup-record`: {where}: {first['msg']}."
        ) from error
