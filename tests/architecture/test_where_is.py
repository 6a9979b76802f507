"""The table "Where is ..." of CONTRIBUTING.md names functions that exist."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROW = re.compile(r"^\| .+ \| `(?P<file>\S+\.py)` \| `(?P<name>[\w.]+)` \|$", re.MULTILINE)
TABLE = (ROOT / "CONTRIBUTING.md").read_text().partition("## Where is ...")[2].partition("\n## ")[0]


def test_the_table_has_the_four_questions():
    assert len(ROW.findall(TABLE)) == 4


@pytest.mark.parametrize(("file", "name"), ROW.findall(TABLE))
def test_the_function_exists(file: str, name: str):
    scope: ast.AST = ast.parse((ROOT / file).read_text())
    for part in name.split("."):
        found = [node for node in ast.iter_child_nodes(scope) if getattr(node, "name", None) == part]
        assert found, f"{file} has no {name}"
        scope = found[0]
