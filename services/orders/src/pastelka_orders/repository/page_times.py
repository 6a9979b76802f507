"""Statistics on how long coloring pages take."""

from sqlalchemy.ext.asyncio import AsyncConnection

from pastelka_common.contracts.options import ColoringOptions
from pastelka_orders.repository.sql import execute
from pastelka_orders.repository.version_options import OPTION_COLUMNS, coloring_options

_NEWEST = 500
_MIN_PAGES = 3
# Only the newest rows are read, so that the cost does not grow with the table.
_MEDIANS = f"""SELECT {OPTION_COLUMNS}, percentile_cont(0.5) WITHIN GROUP (
        ORDER BY extract(epoch FROM c.completed_at - c.started_at)) AS seconds
    FROM (SELECT * FROM coloring_versions ORDER BY id DESC LIMIT {_NEWEST}) c
    WHERE c.status = 'completed' AND c.started_at < c.completed_at
        AND (c.provider_job_id IS NOT NULL) = :is_remote
    GROUP BY {OPTION_COLUMNS} HAVING count(*) >= {_MIN_PAGES}"""


async def median_seconds(connection: AsyncConnection, *, is_remote: bool) -> dict[ColoringOptions, float]:
    """Median seconds from start to completion of a page, by its options.

    Covers the newest pages, made with (``is_remote``) or without a remote provider; options with fewer than
    three pages are omitted.
    """
    rows = await execute(connection, _MEDIANS, {"is_remote": is_remote})
    return {coloring_options(row): round(float(row["seconds"]), 1) for row in rows.mappings()}
