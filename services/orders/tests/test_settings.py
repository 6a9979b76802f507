"""Settings that depend on each other, or have more to them than a range."""

import pytest

from pastelka_common.settings import EXIT_BAD_SETTINGS
from pastelka_orders.settings import OrdersSettings


@pytest.fixture(autouse=True)
def required(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql+asyncpg://pastelka@localhost/pastelka")


@pytest.mark.parametrize(
    ("env", "files"),
    [
        ({}, 500),
        ({"STORAGE_URL": "s3://pastelka"}, 25),
        ({"STORAGE_URL": "s3://pastelka", "RECONCILE_FILES_PER_PASS": ""}, 25),
        ({"STORAGE_URL": "s3://pastelka", "RECONCILE_FILES_PER_PASS": "200"}, 200),
        ({"RECONCILE_FILES_PER_PASS": "0"}, 0),
        ({"RECONCILE_FILES_PER_PASS": "20"}, 20),
    ],
)
def test_fewer_files_are_looked_for_where_each_look_is_paid_for(
    env: dict[str, str], files: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    assert OrdersSettings.load().files_per_pass == files


@pytest.mark.parametrize("wrong", ["-1", "19", "1", "many", "100001"])
def test_so_few_that_a_wrong_storage_cannot_be_told_are_refused(
    wrong: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RECONCILE_FILES_PER_PASS", wrong)
    with pytest.raises(SystemExit) as ended:
        OrdersSettings.load()
    assert ended.value.code == EXIT_BAD_SETTINGS
    assert "RECONCILE_FILES_PER_PASS" in capsys.readouterr().err
