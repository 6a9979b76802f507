"""Databases of the system we replace that did not come about by its own migrations."""


async def test_tables_without_a_revision_number_are_upgraded(database):
    await database.upgrade("001")
    await database.downgrade("base")  # the ids are integers again, and the tables stay
    await database.execute(
        "INSERT INTO orders (shopify_id, shopify_order_number, status, created_at, updated_at)"
        " VALUES (101, '#1001', 'PENDING', now(), now())"
    )
    await database.upgrade()
    assert await database.rows("SELECT order_number, shopify_id FROM orders") == [("1001", 101)]
    await database.execute("UPDATE orders SET shopify_id = 6100000000001")


async def test_tables_created_from_the_old_models_get_the_same_schema(database, new_database):
    """They had keys under other names and without actions, and no defaults."""
    await database.upgrade("004")
    await database.execute(
        """
        ALTER TABLE images DROP CONSTRAINT fk_images_selected_coloring_id,
            DROP CONSTRAINT fk_images_selected_svg_id,
            ADD FOREIGN KEY (selected_coloring_id) REFERENCES coloring_versions,
            ADD FOREIGN KEY (selected_svg_id) REFERENCES svg_versions;
        ALTER TABLE coloring_versions DROP CONSTRAINT coloring_versions_image_id_fkey,
            ADD CONSTRAINT theirs FOREIGN KEY (image_id) REFERENCES images,
            ALTER megapixels DROP DEFAULT, ALTER steps DROP DEFAULT, ALTER created_at DROP DEFAULT;
        ALTER TABLE svg_versions DROP CONSTRAINT svg_versions_coloring_version_id_fkey,
            ADD CONSTRAINT theirs FOREIGN KEY (coloring_version_id) REFERENCES coloring_versions,
            ALTER shape_stacking DROP DEFAULT, ALTER group_by DROP DEFAULT, ALTER created_at DROP DEFAULT;
        """
    )
    await database.upgrade()
    usual = await new_database()
    await usual.upgrade()
    assert await database.schema() == await usual.schema()
