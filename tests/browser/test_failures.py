"""Every error code of the services has a message in the operator's language."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

_ROOT = Path(__file__).parents[2]
_CATALOGUE = _ROOT / "frontend" / "src" / "i18n" / "failures.ts"
_RAISED = {"PermanentError", "TransientError", "SubmitUnknownError", "Refusal", "Failure"}
_NEVER_SHOWN = {"once_more"}
"""Codes that never outlive their delivery."""


def _codes_in(source: Path) -> Iterator[str]:
    """Literal codes of the errors raised in a file."""
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        named = [keyword.value for keyword in node.keywords if keyword.arg == "code"]
        for value in (*node.args[:1], *named) if name in _RAISED else ():
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                yield value.value


def _sources() -> Iterator[Path]:
    for member in ("services/orders", "services/coloring", "services/vectorize", "libs/common"):
        for path in (_ROOT / member / "src").rglob("*.py"):
            if "testing" not in path.parts and "shopify" not in path.parts:
                yield path


def test_every_error_code_has_a_czech_message() -> None:
    codes = {code for source in _sources() for code in _codes_in(source)} - _NEVER_SHOWN
    assert {"provider_out_of_credit", "photo_too_small", "attempts_exhausted"} <= codes, "nothing was found"
    known = set(re.findall(r"^  ([a-z_]+):", _CATALOGUE.read_text(encoding="utf-8"), re.MULTILINE))
    assert codes <= known, f"without a sentence in {_CATALOGUE.name}: {sorted(codes - known)}"
