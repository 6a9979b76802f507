"""Stages of orders, checked against a full recomputation (``MODEL_EXAMPLES`` for more than the quick 20)."""

import asyncio
import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from pastelka_orders.database import Database
from pastelka_orders.models.orders import OrderStage

from .stage_machine import CANCELS, SHOP_IDS, StageMachine, World

QUICK = 20
EXAMPLES = int(os.environ.get("MODEL_EXAMPLES", QUICK))


@pytest.fixture
def world(orders_url: str) -> Iterator[World]:
    """A database, and the loop that it is used in."""
    with asyncio.Runner() as runner:
        database = Database(orders_url)
        try:
            yield World(runner, database)
        finally:
            runner.run(database.aclose())


@pytest.mark.timeout(60 + 8 * EXAMPLES)
def test_the_stored_stage_always_equals_the_recomputed_one(world: World) -> None:
    checked = type("Checked", (StageMachine,), {"world": world, "seen": set()})
    run_state_machine_as_test(
        checked,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=20,
            deadline=None,
            database=None,
            derandomize=EXAMPLES == QUICK,
            print_blob=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
    for until in ("generating", "to_review", "approved", "printed", "shipped", "on_hold"):
        machine = checked()
        machine.begin(stored=True)
        machine.goes_well(until)
        machine.the_stage_is_the_recomputed_one()
    machine.shop_says(SHOP_IDS[0], CANCELS, False)
    machine.the_stage_is_the_recomputed_one()
    for stored in (True, False):
        machine.begin(stored)
        machine.the_stage_is_the_recomputed_one()
    machine.photo_arrives(0, True, False)
    machine.the_stage_is_the_recomputed_one()
    assert checked.seen == set(OrderStage), "a stage that never occurred was not tested"
