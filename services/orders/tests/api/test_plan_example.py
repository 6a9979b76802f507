"""The single-image response for the specification's example data is the specification's JSON."""

import json
from typing import Any

import asyncpg

PLAN = """
{
  "id": 123,
  "position": 1,
  "url": "http://localhost:8081/static/images/42/121/image_1.jpg",
  "downloaded_at": "2026-01-16T14:30:00+01:00",
  "selected_version_ids": {
    "coloring": 456,
    "svg": 789
  },
  "versions": {
    "coloring": [
      {
        "id": 456,
        "version": 1,
        "url": "http://localhost:8081/static/images/42/121/coloring/v1/image_1.png",
        "status": "completed",
        "options": {
          "megapixels": 1.0,
          "steps": 4
        },
        "created_at": "2026-01-16T14:31:00+01:00"
      },
      {
        "id": 457,
        "version": 2,
        "url": null,
        "status": "runpod_processing",
        "options": {
          "megapixels": 2.0,
          "steps": 8
        },
        "created_at": "2026-01-16T14:35:00+01:00"
      }
    ],
    "svg": [
      {
        "id": 789,
        "version": 1,
        "url": "http://localhost:8081/static/images/42/121/svg/v1/image_1.svg",
        "status": "completed",
        "coloring_version_id": 456,
        "options": {
          "shape_stacking": "stacked",
          "group_by": "color"
        },
        "created_at": "2026-01-16T14:32:00+01:00"
      }
    ]
  }
}
"""

DATA = """
INSERT INTO orders (id, order_number, source, shopify_id, status)
    VALUES (42, '1270', 'shopify', 1, 'ready_for_review');
INSERT INTO line_items (id, order_id, position, title) VALUES (121, 42, 1, 'Book');
INSERT INTO images (id, line_item_id, position, path, downloaded_at)
    VALUES (123, 121, 1, '42/121/image_1.jpg', '2026-01-16T13:30:00Z');
INSERT INTO coloring_versions (id, image_id, version, path, status, megapixels, steps, created_at) VALUES
    (456, 123, 1, '42/121/coloring/v1/image_1.png', 'completed', 1, 4, '2026-01-16T13:31:00Z'),
    (457, 123, 2, NULL, 'runpod_processing', 2, 8, '2026-01-16T13:35:00Z');
INSERT INTO svg_versions (id, image_id, coloring_version_id, version, path, status, created_at)
    VALUES (789, 123, 456, 1, '42/121/svg/v1/image_1.svg', 'completed', '2026-01-16T13:32:00Z');
UPDATE images SET selected_coloring_id = 456, selected_svg_id = 789;
"""


async def test_the_response_equals_the_example_of_the_specification(
    api: Any, sql: asyncpg.Connection
) -> None:
    await sql.execute(DATA)
    response = await api.http.get("/orders/1270/images/123")
    plan = json.loads(PLAN)
    assert response.json() == plan
    # Field names, their order and how numbers and times are written are the same, too.
    assert response.text == json.dumps(plan, separators=(",", ":"))


async def test_the_image_response_is_at_most_a_kilobyte(api: Any, sql: asyncpg.Connection) -> None:
    await sql.execute(DATA)
    response = await api.http.get("/orders/1270/images/123")
    assert len(response.content) <= 1024


async def test_the_version_lists_hold_the_same_versions(api: Any, sql: asyncpg.Connection) -> None:
    await sql.execute(DATA)
    versions = json.loads(PLAN)["versions"]
    assert await api.get("/images/123/coloring-versions") == versions["coloring"]
    assert await api.get("/images/123/svg-versions") == versions["svg"]
