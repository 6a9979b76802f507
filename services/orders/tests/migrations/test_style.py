"""Pages that were made before options of style have the defaults, on the way back, too."""

BEFORE = """
INSERT INTO orders (id, order_number, source, status) VALUES (1, '1', 'manual', 'ready_for_review');
INSERT INTO line_items (id, order_id, position, title) VALUES (1, 1, 1, 'Book');
INSERT INTO images (id, line_item_id, position, path) VALUES (1, 1, 1, '1/1/image_1.jpg');
INSERT INTO coloring_versions (id, image_id, version, megapixels, steps) VALUES (1, 1, 1, 2, 8);
"""


async def test_pages_have_the_default_style_and_keep_size_and_detail(database):
    await database.upgrade("034")
    await database.execute(BEFORE)
    await database.upgrade("036")
    rows = await database.rows(
        "SELECT megapixels, steps, has_frame, background, line_weight FROM coloring_versions"
    )
    assert [tuple(row) for row in rows] == [(2.0, 8, True, "quiet", "normal")]
    await database.execute("UPDATE coloring_versions SET has_frame = false, background = 'none'")
    await database.downgrade("034")
    await database.upgrade("036")
    rows = await database.rows("SELECT megapixels, has_frame, background FROM coloring_versions")
    assert [tuple(row) for row in rows] == [(2.0, True, "quiet")]
