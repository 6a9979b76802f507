"""Photos, dedication and layout from the attributes of a line item."""

import time

import pytest

from pastelka_orders.shopify.attributes import AttributeNames
from tests.patterns.growth import MOST_GROWTH, growth

NAMES = AttributeNames()


def url(name: object) -> str:
    return f"https://uploads.example.com/{name}.jpg"


@pytest.mark.parametrize(
    ("name", "position"),
    [
        ("Fotka 1", 1),
        ("Fotka1", 1),
        ("Fotka-3", 3),
        ("Fotka (4)-2", 2),
        ("Fotka (4) - 2", 2),
        ("Fotka(12)7", 7),
        ("Fotka 10 (na výšku)", 10),
        (" Fotka 2 ", 2),
        ("Fotka 0", 1),
        ("Fotka 99999999999999999999", 1),
    ],
)
def test_a_photo_takes_its_position_from_the_attribute_name(name: str, position: int) -> None:
    assert NAMES.photos([(name, url("a"))]) == {position: url("a")}


@pytest.mark.parametrize(
    "name", ["_Fotka 1", "fotka 1", "Fotka", "Fotka (2)", "Fotky 1", "Moje Fotka 1", "", "1"]
)
def test_other_attributes_are_not_photos(name: str) -> None:
    assert NAMES.photos([(name, url("a"))]) == {}


@pytest.mark.parametrize("value", ["", "ftp://x/1.jpg", "soubor.jpg", "javascript:alert(1)"])
def test_an_attribute_without_an_http_url_is_not_a_photo(value: str) -> None:
    assert NAMES.photos([("Fotka 1", value)]) == {}


def test_photos_that_share_a_position_are_all_kept() -> None:
    attributes = [("Fotka (2)-1", url("a")), ("Fotka (3)-1", url("b")), ("Fotka 2", url("c"))]
    assert NAMES.photos(attributes) == {1: url("a"), 2: url("c"), 3: url("b")}


def test_a_duplicate_photo_at_one_position_is_stored_once() -> None:
    assert NAMES.photos([("Fotka 1", url("a")), ("Fotka  1", url("a"))]) == {1: url("a")}


def test_dedication_and_layout() -> None:
    attributes = [("Věnování", " "), ("Věnování", " Pro Aničku "), ("Rozvržení", "Na výšku")]
    assert NAMES.item(1, None, 1, attributes).dedication == "Pro Aničku"
    assert NAMES.item(1, None, 1, attributes).layout == "Na výšku"
    assert NAMES.item(1, None, 1, [("Rozvržení stránky", "x")]).layout is None


def test_decomposed_accents_match_attribute_names() -> None:
    assert NAMES.item(1, None, 1, [("Ve\u030cnova\u0301ni\u0301", "Pro Aničku")]).dedication == "Pro Aničku"


def test_names_are_configurable() -> None:
    names = AttributeNames(photo="Photo (best)", dedication="Dedication", layout="Layout")
    attributes = [("Photo (best) 2", url("a")), ("Fotka 1", url("b")), ("Dedication", "For Anna")]
    assert names.photos(attributes) == {2: url("a")}
    assert names.item(1, None, 1, attributes).dedication == "For Anna"


@pytest.mark.parametrize(
    ("head", "unit", "tail"),
    [
        ("Fotka", " ", "x"),
        ("Fotka (", "1", "x"),
        ("Fotka -", " ", "x"),
        ("Fotka 1", "\u0301\u0316", ""),
        ("", "Fotka ", ""),
    ],
)
def test_a_name_takes_linear_time(head: str, unit: str, tail: str) -> None:
    def work(size: int) -> None:
        name = head + unit * size + tail
        NAMES.item(1, None, 1, [(name, url("a"))])

    assert growth(work) <= MOST_GROWTH


def test_names_of_many_blanks_are_matched_quickly() -> None:
    attributes = [("Fotka" + " " * 494 + "x", url(number)) for number in range(40)]
    key = ("Fotka" + " " * 1500 + "x", url("a"))
    since = time.thread_time()
    assert NAMES.photos([*attributes, key]) == {}
    assert time.thread_time() - since < 0.5


def test_many_photos_at_one_position_take_linear_time() -> None:
    def work(size: int) -> None:
        assert len(NAMES.photos([("Fotka 1", url(number)) for number in range(size)])) == size

    assert growth(work) <= MOST_GROWTH
