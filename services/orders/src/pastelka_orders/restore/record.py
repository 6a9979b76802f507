"""The record stored with backups: erasures, revocations and ids that a restore must not undo."""

from pathlib import Path
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError
from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_common.contracts.messages import now
from pastelka_orders.errors import ConflictError
from pastelka_orders.models.orders import ErasureReason
from pastelka_orders.repository import restore


class InvalidBackupRecordError(ConflictError, code="bad_record"):
    """The file is not a valid record."""


class ErasedOrder(BaseModel):
    """An order that was erased, or whose erasure was requested."""

    model_config = ConfigDict(extra="forbid")

    order_id: int
    order_number: str
    reason: ErasureReason
    asked_by: str | None = None
    asked_at: AwareDatetime


class BackupRecord(BaseModel):
    """The record; contains no personal data and no secrets.

    ``ids`` are the last values of the sequences. ``users`` and ``tokens`` are the active ones; others in the
    restored database were disabled or revoked since.
    """

    model_config = ConfigDict(extra="forbid")

    format: Literal[1] = 1
    made_at: AwareDatetime
    erasures: list[ErasedOrder]
    suppressed: list[int]
    ids: dict[str, int]
    users: list[str]
    tokens: list[int]


async def create_record(connection: AsyncConnection) -> BackupRecord:
    """Create a record of the current state."""
    return BackupRecord(
        made_at=now(),
        erasures=[ErasedOrder.model_validate(row) for row in await restore.erasures(connection)],
        suppressed=await restore.suppressed(connection),
        ids=await restore.ids(connection),
        users=await restore.active_users(connection),
        tokens=await restore.active_tokens(connection),
    )


def read_record(file: Path) -> BackupRecord:
    """Read a record from a file. Raises ``InvalidBackupRecordError``."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise InvalidBackupRecordError(f"{file} cannot be read: {error.strerror}.") from error
    return parse_record(content, of=str(file))


def parse_record(content: bytes, *, of: str) -> BackupRecord:
    """Parse a record; ``of`` names its source in errors. Raises ``InvalidBackupRecordError``."""
    try:
        return BackupRecord.model_validate_json(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "all of it"
        raise InvalidBackupRecordError(
            f"{of} is not a record of `backup-record`: {where}: {first['msg']}."
        ) from error
