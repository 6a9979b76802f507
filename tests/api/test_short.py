"""A short, deterministic run of schemathesis; ``make test-api`` is the long one."""

from pathlib import Path

import pytest

from tests.api.campaign import Form
from tests.api.runs import findings, run
from tests.api.table import table

pytestmark = pytest.mark.server

SEED = 1

FORMS = {
    "anonymous": Form(1, phases="examples,fuzzing", is_short=True),
    "operator": Form(1, phases="examples,coverage", is_short=True),
}


@pytest.mark.timeout(600)
async def test_every_answer_is_documented_and_none_is_5xx(tmp_path: Path) -> None:
    outcomes = await run(tmp_path, FORMS, SEED)
    print(table(outcomes))
    assert findings(outcomes) == []
    anonymous, operator = outcomes
    assert anonymous.cases > 25
    assert operator.cases > 300
    # Otherwise the run would only have requested ids that do not exist.
    assert operator.successes > 60
    assert anonymous.successes < operator.successes
