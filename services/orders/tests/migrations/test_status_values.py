"""004, the plan's migration: each old value maps as the plan says, forwards and back."""

# ruff: noqa: S608 - the statements are put together from names in this file

import pytest

OLD = ["pending", "queued", "processing", "completed", "error"]
BACK = {
    "coloring_versions": {
        "pending": "pending",
        "queued": "queued",
        "processing": "processing",
        "runpod_submitting": "processing",
        "runpod_submitted": "processing",
        "runpod_queued": "processing",
        "runpod_processing": "processing",
        "completed": "completed",
        "error": "error",
    },
    "svg_versions": {
        "pending": "pending",
        "queued": "queued",
        "processing": "processing",
        "vectorizer_processing": "processing",
        "completed": "completed",
        "error": "error",
    },
}
TABLES = pytest.mark.parametrize("table", list(BACK))


async def statuses(database, table):
    return await database.pairs(f"SELECT version, status::text FROM {table} WHERE version > 1000")


async def store(database, table, values):
    """One version for each value, numbered from 1001 in their order."""
    parent = "image_id" if table == "coloring_versions" else "coloring_version_id"
    rows = ", ".join(f"(1, {number}, '{value}')" for number, value in enumerate(values, start=1001))
    await database.execute(f"INSERT INTO {table} ({parent}, version, status) VALUES {rows}")
    return dict(enumerate(values, start=1001))


async def types(database):
    return {name for name, _ in (await database.schema())["enums"]}


@TABLES
async def test_old_values_are_unchanged_by_upgrade_and_downgrade(old_installation, table):
    before = await store(old_installation, table, OLD)
    await old_installation.upgrade("004")
    assert await statuses(old_installation, table) == before
    await old_installation.downgrade("003")
    assert await statuses(old_installation, table) == before
    await old_installation.upgrade("004")
    assert await statuses(old_installation, table) == before


@TABLES
async def test_a_downgrade_maps_new_values_to_old_ones(old_installation, table):
    await old_installation.upgrade("004")
    before = await store(old_installation, table, list(BACK[table]))
    await old_installation.downgrade("003")
    folded = {number: BACK[table][value] for number, value in before.items()}
    assert await statuses(old_installation, table) == folded


async def test_the_old_type_is_replaced_by_two_and_the_default_is_kept(old_installation):
    await old_installation.upgrade("004")
    assert await types(old_installation) == {"orderstatus", "coloringprocessingstatus", "svgprocessingstatus"}
    await old_installation.execute("INSERT INTO coloring_versions (image_id, version) VALUES (1, 1001)")
    assert await statuses(old_installation, "coloring_versions") == {1001: "pending"}
    await old_installation.downgrade("003")
    assert await types(old_installation) == {"orderstatus", "imageprocessingstatus"}
    await old_installation.execute("INSERT INTO coloring_versions (image_id, version) VALUES (1, 1002)")
    assert await statuses(old_installation, "coloring_versions") == {1001: "pending", 1002: "pending"}
