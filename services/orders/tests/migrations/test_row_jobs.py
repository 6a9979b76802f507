"""Jobs that waited in the broker become rows that are due, with the attempts they had."""

from datetime import datetime

BEFORE = """
INSERT INTO orders (id, order_number, source, status) VALUES
    (1, '1', 'shopify', 'downloading'), (2, '2', 'shopify', 'error'), (3, '3', 'shopify', 'error');
INSERT INTO line_items (id, order_id, position, title) SELECT id, id, 1, 'Book' FROM orders;
INSERT INTO images (id, line_item_id, position, original_url, path, download_error_code) VALUES
    (1, 1, 1, 'https://a/1', NULL, NULL), (2, 1, 2, 'https://a/2', '1/1/image_2.jpg', NULL),
    (3, 2, 1, 'https://a/3', NULL, 'photo_gone'), (4, 2, 2, 'https://a/4', NULL, NULL),
    (5, 3, 1, 'https://a/5', NULL, NULL);
INSERT INTO shop_jobs (key, payload) VALUES ('{sync}.7', '{{"shopify_id": 7, "order_number": "7"}}'),
    ('{fetch}.shopify 2026-11-01T00:00:00+00:00', '{{"since": "2026-11-01T00:00:00Z"}}');
INSERT INTO erasures (order_id, order_number, deleted_at, erased_at, is_watched, failures, error) VALUES
    (11, '11', NULL, NULL, true, 3, 'It stays.'), (12, '12', now(), now(), true, 0, NULL),
    (13, '13', now() - interval '8 days', now(), true, 0, NULL), (14, '14', now(), now(), false, 0, NULL);
INSERT INTO job_attempts (subject, sequence, failed, code, message) VALUES
    ('{download}.1', 5, 1, 'old', 'Old.'), ('{download}.1', 9, 4, 'busy', 'Busy.'),
    ('{sync}.7', 6, 2, 'busy', 'Busy.');
INSERT INTO outbox (subject, msg_id, payload) VALUES
    ('{download}.1', 'a', 'url'), ('jobs.coloring.1', 'b', 'x'), ('events.order.1.order_changed', 'c', 'x');
""".format(**{kind: f"jobs.{kind}" for kind in ("download", "sync", "fetch")})  # noqa: S608 - our own words


async def test_waiting_jobs_become_due_rows_with_their_attempts(database):
    await database.upgrade("033")
    await database.execute(BEFORE)
    await database.upgrade("034")
    due = await database.rows(
        "SELECT id, attempts, last_error FROM images WHERE next_attempt_at <= now() ORDER BY id"
    )
    assert [tuple(row) for row in due] == [(1, 4, "Busy."), (4, 0, None)]
    jobs = await database.rows(
        "SELECT key, attempts FROM shop_jobs WHERE next_attempt_at <= now() ORDER BY key"
    )
    assert [tuple(row) for row in jobs] == [("fetch.shopify 2026-11-01T00:00:00+00:00", 0), ("sync.7", 2)]
    erasures = await database.rows(
        "SELECT order_id, attempts, last_error FROM erasures WHERE next_attempt_at <= now() ORDER BY 1"
    )
    assert [tuple(row) for row in erasures] == [(11, 3, "It stays."), (12, 0, None)]
    kept = await database.rows("SELECT msg_id FROM outbox ORDER BY id")
    assert [row[0] for row in kept] == ["b", "c"]


async def test_row_jobs_can_be_downgraded(database):
    await database.upgrade("033")
    await database.execute(BEFORE)
    await database.upgrade("034")
    await database.downgrade("033")
    keys = await database.rows("SELECT key FROM shop_jobs ORDER BY key")
    assert [row[0].partition(".")[0] for row in keys] == ["jobs", "jobs"]
    rows = await database.rows("SELECT failures, error, next_look_at FROM erasures WHERE order_id = 11")
    assert rows[0][:2] == (3, "It stays.")
    assert isinstance(rows[0][2], datetime)
