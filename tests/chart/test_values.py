"""Every value is documented and in the schema, and the README's table is current."""

import json
from typing import Any

from tests.chart import values
from tests.chart.chart import FOLDER

SCHEMA = json.loads((FOLDER / "values.schema.json").read_text())


def _resolved(part: Any) -> Any:
    while "$ref" in part:
        target: Any = SCHEMA
        for key in part["$ref"].removeprefix("#/").split("/"):
            target = target[key]
        part = target
    return part


def _schema_paths(part: Any, path: tuple[str, ...] = ()) -> set[tuple[str, ...]]:
    part = _resolved(part)
    if not part.get("properties"):
        return {path}
    return {
        found for key, inner in part["properties"].items() for found in _schema_paths(inner, (*path, key))
    }


def test_every_value_is_documented() -> None:
    known = {one.path for one in values.documented()}
    for path in values.leaves(values.values()):
        own = [path[:length] for length in range(1, len(path) + 1) if path[:length] in known]
        assert own, f"{'.'.join(path)} has no comment"
        sections = [one for one in own if any(other[: len(one)] == one and other != one for other in known)]
        assert own != sections, f"{'.'.join(path)} has no comment of its own"


def test_every_schema_property_is_in_the_values() -> None:
    shared = set(values.values()["defaults"])
    for path in _schema_paths(SCHEMA):
        of_defaults = len(path) == 2 and path[1] in shared  # optional for a component
        if path[-1] != "claims" and not of_defaults:
            values.at(path)


def test_every_value_is_in_the_schema() -> None:
    for path in values.leaves(values.values()):
        part = _resolved(SCHEMA)
        for key in path:
            if "properties" not in part:
                break  # a free-form map
            assert key in part["properties"], ".".join(path)
            part = _resolved(part["properties"][key])


def test_only_free_form_maps_accept_unknown_keys() -> None:
    """Where the chart defines the keys, an unknown key is an error."""
    for name, part in {**SCHEMA["properties"], **SCHEMA["definitions"]}.items():
        if "properties" in part and name != "global":
            assert part["additionalProperties"] is False, name


def test_the_readme_lists_the_values() -> None:
    text = (FOLDER / "README.md").read_text()
    listed = text.partition(values.BEGIN)[2].partition(values.END)[0].strip()
    assert listed == values.table(), "run make chart-values to update it"
