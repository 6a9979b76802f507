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
def test_fewer_files_are_checked_in_a_bucket_by_default(
    env: dict[str, str], files: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    assert OrdersSettings.load().files_per_pass == files


@pytest.mark.parametrize("wrong", ["-1", "19", "1", "many", "100001"])
def test_an_invalid_number_of_files_per_pass_is_rejected(
    wrong: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RECONCILE_FILES_PER_PASS", wrong)
    with pytest.raises(SystemExit) as ended:
        OrdersSettings.load()
    assert ended.value.code == EXIT_BAD_SETTINGS
    assert "RECONCILE_FILES_PER_PASS" in capsys.readouterr().err


def test_options_of_books_come_from_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {
        "PRINT_PAPER": "A5",
        "PRINT_BLEED_MM": "3",
        "PRINT_ORIENTATION": "portrait",
        "PRINT_BACKS": "blank",
        "PRINT_NUMBERS": "true",
        "PRINT_FONT": "DejaVu Sans",
        "PRINT_LAYOUTS": '{"Dvě na stránku": "two"}',
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    found = OrdersSettings.load()
    assert found.print_layouts == {"Dvě na stránku": "two"}
    options = found.book_options
    assert (options.paper, options.bleed_mm, options.orientation) == ("A5", 3, "portrait")
    assert (options.backs, options.has_numbers, options.font) == ("blank", True, "DejaVu Sans")


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("PRINT_PAPER", "A2"),
        ("PRINT_PAPER", "custom"),
        ("PRINT_BLEED_MM", "6"),
        ("PRINT_BACKS", "grey"),
        ("PRINT_FONT", "Comic Sans"),
        ("PRINT_LAYOUTS", "two"),
        ("PRINT_LAYOUTS", '{"Šest": "six"}'),
        ("PRINT_LAYOUTS", '["two"]'),
    ],
)
def test_invalid_book_settings_are_named(
    name: str, wrong: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(name, wrong)
    with pytest.raises(SystemExit) as ended:
        OrdersSettings.load()
    assert ended.value.code == EXIT_BAD_SETTINGS
    assert name in capsys.readouterr().err


def test_prices_are_decimal_numbers_and_empty_ones_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"COLORING_PRICE": "0.035", "SVG_PRICE": "", "CURRENCY": ""}.items():
        monkeypatch.setenv(name, value)
    settings = OrdersSettings.load()
    assert (str(settings.coloring_price), settings.svg_price, settings.currency) == ("0.035", None, "USD")


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("COLORING_PRICE", "-1"),
        ("COLORING_PRICE", "NaN"),
        ("SVG_PRICE", "0,20"),
        ("SVG_PRICE", "0.0000001"),
        ("CURRENCY", "Kč"),
        ("CURRENCY", "czk"),
    ],
)
def test_a_wrong_price_is_refused_by_name(
    name: str, wrong: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(name, wrong)
    with pytest.raises(SystemExit) as ended:
        OrdersSettings.load()
    assert ended.value.code == EXIT_BAD_SETTINGS
    assert name in capsys.readouterr().err
