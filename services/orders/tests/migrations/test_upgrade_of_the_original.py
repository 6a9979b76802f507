"""A filled database of the system we replace goes 003 -> 004 -> 003 -> 004 -> head with its data."""

# ruff: noqa: S608 - the statements are put together from names in this file

import asyncpg
import pytest

HISTORY_MESSAGE = "Failed in the previous system; the reason was not recorded. Retry starts afresh."


@pytest.mark.parametrize("case", ["upper", "lower"])
async def test_order_statuses_are_converted_to_lower_case(old_installation, case):
    for (label,) in await old_installation.rows("SELECT unnest(enum_range(NULL::orderstatus))::text"):
        if case == "lower":
            rename = f"ALTER TYPE orderstatus RENAME VALUE '{label}' TO '{label.lower()}'"
            await old_installation.execute(rename)
    await old_installation.upgrade()
    assert await old_installation.pairs("SELECT id, status::text FROM orders") == {
        1: "pending",
        2: "downloading",
        3: "processing",
        4: "ready_for_review",
        5: "error",
        6: "error",
    }


async def test_order_numbers_have_no_hash_and_are_unique(upgraded):
    assert await upgraded.pairs("SELECT id, order_number FROM orders") == {
        1: "1270",
        2: "1270-2",
        3: "1271",
        4: "6100000000004",
        5: "1272",
        6: "1270-2-6",
    }
    assert await upgraded.rows("SELECT DISTINCT source FROM orders") == [("shopify",)]
    assert await upgraded.pairs("SELECT id, shopify_order_number FROM orders WHERE id < 3") == {
        1: "#1270",
        2: "1270",
    }


async def test_search_text_is_lower_case_without_accents(upgraded):
    assert await upgraded.rows("SELECT search FROM orders WHERE id = 1") == [
        ("1270 zaneta prihodova zaneta example cz",)
    ]
    found = "SELECT id FROM orders WHERE order_search_keys(search) @> ARRAY[$1]"
    assert await upgraded.rows(found, "prihod") == [(1,)]


async def test_line_items_are_numbered_in_the_order_they_were_stored(upgraded):
    assert await upgraded.pairs("SELECT id, position FROM line_items") == {10: 1, 11: 2, 12: 1}


async def test_images_have_paths_below_the_storage_root(upgraded):
    assert await upgraded.pairs("SELECT id, path FROM images") == {
        1: "1/10/image_1.jpg",
        2: None,
        3: "1/10/image_2.jpg",
        4: None,
    }


async def test_an_image_with_a_duplicate_position_moves_to_the_end(upgraded):
    assert await upgraded.pairs("SELECT id, position FROM images") == {1: 1, 2: 2, 3: 3, 4: 1}


async def test_colorings_keep_their_order_and_no_number_occurs_twice(upgraded):
    assert await upgraded.pairs("SELECT id, version FROM coloring_versions") == {
        1: 1,
        2: 2,
        3: 3,
        4: 4,
        5: 5,
        6: 6,
        7: 7,
        8: 7,  # of another image, whose numbers were unique
    }


async def test_svgs_belong_to_the_image_of_their_coloring_and_are_numbered_within_it(upgraded):
    assert await upgraded.rows("SELECT id, image_id, version FROM svg_versions ORDER BY id") == [
        (1, 1, 1),
        (2, 3, 1),
        (3, 1, 2),
        (4, 1, 3),
        (5, 1, 4),
        (6, 1, 5),
    ]


@pytest.mark.parametrize(
    ("table", "codes"),
    [
        (
            "coloring_versions",
            {1: None, 2: None, 3: "unknown", 4: "interrupted", 5: "interrupted", 6: "interrupted"}
            | {7: "file_missing", 8: None},
        ),
        (
            "svg_versions",
            {1: None, 2: "interrupted", 3: None, 4: "interrupted", 5: "interrupted", 6: "unknown"},
        ),
    ],
)
async def test_every_version_ends_completed_or_with_a_reason(upgraded, table, codes):
    assert await upgraded.pairs(f"SELECT id, error_code FROM {table}") == codes
    wrong = f"SELECT id FROM {table} WHERE (status = 'completed') <> (error_code IS NULL)"
    assert await upgraded.rows(wrong) == []
    assert await upgraded.rows(f"SELECT id FROM {table} WHERE is_active") == []
    messages = await upgraded.pairs(f"SELECT DISTINCT error_code, error_message FROM {table}")
    assert messages.pop("unknown") == HISTORY_MESSAGE
    assert messages.pop(None) is None
    assert all("Press Retry" in message for message in messages.values())


async def test_versions_have_paths_below_the_storage_root_and_their_first_run(upgraded):
    completed = "SELECT id, path FROM coloring_versions WHERE status = 'completed'"
    assert await upgraded.pairs(completed) == {
        1: "1/10/image_1_coloring_v1.png",
        2: "1/10/coloring/v1/image_1.png",
        8: "1/10/image_3_coloring_v7.png",
    }
    progress = "SELECT DISTINCT run, attempt, step, asked_at = created_at FROM coloring_versions"
    assert await upgraded.rows(progress) == [(1, 0, 0, True)]


async def test_selections_are_kept_unless_they_belong_to_another_image(upgraded):
    selected = "SELECT id, selected_coloring_id, selected_svg_id FROM images WHERE id IN (1, 3) ORDER BY id"
    assert await upgraded.rows(selected) == [(1, 2, 3), (3, None, 2)]


@pytest.mark.parametrize("status", ["runpod_submitting", "runpod_submitted", "runpod_queued"])
async def test_versions_active_at_a_provider_at_004_end_as_interrupted(old_installation, status):
    await old_installation.upgrade("004")
    await old_installation.execute(f"UPDATE coloring_versions SET status = '{status}' WHERE id = 6")
    await old_installation.execute("UPDATE svg_versions SET status = 'vectorizer_processing' WHERE id = 5")
    await old_installation.upgrade()
    code = "SELECT status::text, error_code FROM {} WHERE id = {}"
    for table, version in (("coloring_versions", 6), ("svg_versions", 5)):
        assert await old_installation.rows(code.format(table, version)) == [("error", "interrupted")]


async def test_the_upgrade_can_be_reverted_and_repeated(upgraded_copy):
    numbers = await upgraded_copy.pairs("SELECT id, order_number FROM orders")
    await upgraded_copy.execute(
        "INSERT INTO orders (id, order_number, source) VALUES (200, 'M1007', 'manual');"
        "INSERT INTO line_items (id, order_id, position, title, quantity) VALUES (200, 200, 1, 'Photos', 1);"
        "INSERT INTO images (id, line_item_id, position, path) VALUES (200, 200, 1, '200/200/image_1.jpg')"
    )
    await upgraded_copy.downgrade("004")
    assert await upgraded_copy.rows(
        "SELECT o.status::text, o.shopify_id, o.shopify_order_number, i.local_path, i.original_url"
        " FROM orders o JOIN line_items l ON l.order_id = o.id JOIN images i ON i.line_item_id = l.id"
        " WHERE o.id = 200"
    ) == [("PENDING", -200, "M1007", "/srv/photos/200/200/image_1.jpg", "")]
    await upgraded_copy.upgrade()
    assert await upgraded_copy.pairs("SELECT id, order_number FROM orders") == numbers | {200: "M1007"}
    assert await upgraded_copy.rows(
        "SELECT source, shopify_id, shopify_order_number FROM orders WHERE id = 200"
    ) == [("manual", None, None)]
    assert await upgraded_copy.rows("SELECT nextval('manual_order_number_seq')") == [(1008,)]


async def test_new_versions_are_numbered_after_existing_ones(upgraded_copy):
    await upgraded_copy.execute(
        "INSERT INTO coloring_versions (image_id, version) SELECT 1, max(version) + 1 FROM coloring_versions"
    )
    assert await upgraded_copy.rows(
        "SELECT version, status::text FROM coloring_versions WHERE is_active"
    ) == [(8, "pending")]


@pytest.mark.parametrize(
    ("statement", "error"),
    [
        ("UPDATE images SET selected_coloring_id = 1 WHERE id = 3", asyncpg.ForeignKeyViolationError),
        ("UPDATE images SET selected_svg_id = 1 WHERE id = 3", asyncpg.ForeignKeyViolationError),
        ("UPDATE svg_versions SET coloring_version_id = 8 WHERE id = 1", asyncpg.ForeignKeyViolationError),
        ("UPDATE coloring_versions SET path = NULL WHERE id = 1", asyncpg.CheckViolationError),
        ("UPDATE svg_versions SET status = 'error' WHERE id = 1", asyncpg.CheckViolationError),
        ("UPDATE coloring_versions SET version = 1 WHERE id = 2", asyncpg.UniqueViolationError),
        ("UPDATE images SET position = 1 WHERE id = 2", asyncpg.UniqueViolationError),
        ("UPDATE orders SET order_number = '1270' WHERE id = 2", asyncpg.UniqueViolationError),
        ("UPDATE orders SET source = 'ebay' WHERE id = 2", asyncpg.CheckViolationError),
    ],
)
async def test_the_database_rejects_inconsistent_rows(upgraded, statement, error):
    with pytest.raises(error):
        await upgraded.execute(statement)


async def test_deleting_a_selected_version_clears_only_its_selection(upgraded_copy):
    await upgraded_copy.execute("DELETE FROM svg_versions WHERE id = 3")
    selected = "SELECT selected_coloring_id, selected_svg_id FROM images WHERE id = 1"
    assert await upgraded_copy.rows(selected) == [(2, None)]


async def test_deleting_an_order_deletes_its_dependent_rows(upgraded_copy):
    await upgraded_copy.execute("DELETE FROM orders WHERE id = 1")
    for table in ("coloring_versions", "svg_versions"):
        assert await upgraded_copy.rows(f"SELECT count(*) FROM {table}") == [(0,)]
    assert await upgraded_copy.pairs("SELECT id, line_item_id FROM images") == {4: 12}


async def test_a_status_change_touches_no_index(upgraded_copy):
    """The point of the generated column ``is_active``: such updates stay on their page (HOT)."""
    await upgraded_copy.execute("INSERT INTO coloring_versions (id, image_id, version) VALUES (300, 3, 300)")
    for status in ("queued", "processing", "runpod_submitting", "runpod_queued"):
        await upgraded_copy.execute(f"UPDATE coloring_versions SET status = '{status}' WHERE id = 300")
    counted = (
        "SELECT pg_stat_force_next_flush(), pg_stat_get_tuples_hot_updated('coloring_versions'::regclass)"
    )
    await upgraded_copy.rows(counted)
    assert (await upgraded_copy.rows(counted))[0][1] >= 4
