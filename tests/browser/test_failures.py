"""Every error code of the services and of the API has a message in the operator's language."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

_ROOT = Path(__file__).parents[2]
_CATALOGUE = _ROOT / "frontend" / "src" / "i18n" / "failures.ts"
_TEXTS = _ROOT / "frontend" / "src" / "i18n" / "texts"
_ORDERS = _ROOT / "services" / "orders" / "src" / "pastelka_orders"
_PREFLIGHT = _ORDERS / "handlers" / "preflight.py"
_RAISED = {"PermanentError", "TransientError", "SubmitUnknownError", "Refusal", "Failure"}
_NEVER_SHOWN = {"once_more"}
"""Codes that never outlive their delivery."""
_NOT_OF_THE_DASHBOARD = {
    *("bad_request", "not_found", "conflict", "forbidden", "bad_cursor", "refused_message_not_found"),
    *("hub_unavailable", "scope_missing", "webhook_not_verified", "other_shop"),
    *("user_exists", "user_not_found", "password_refused", "token_exists", "token_not_found"),
}
"""Codes of base classes, the hub, webhooks, API tokens, the command line, and routes that it never calls."""


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


def _finding_codes() -> Iterator[str]:
    """Codes of the findings with which a book ends in error: those of the preflight, and removed items."""
    yield "item_removed"
    for node in ast.walk(ast.parse(_PREFLIGHT.read_text(encoding="utf-8"))):
        if isinstance(node, ast.AnnAssign) and getattr(node.target, "id", "") == "_ERRORS" and node.value:
            yield from (_text(one) for one in ast.walk(node.value) if isinstance(one, ast.Constant))


def test_every_error_code_has_a_czech_message() -> None:
    literal = {code for source in _sources() for code in _codes_in(source)}
    codes = literal.union(_finding_codes()) - _NEVER_SHOWN
    found = {"provider_out_of_credit", "photo_too_small", "attempts_exhausted", "dedication_too_long"}
    assert found <= codes, "nothing was found"
    known = set(re.findall(r"^  ([a-z_]+):", _CATALOGUE.read_text(encoding="utf-8"), re.MULTILINE))
    assert codes <= known, f"without a sentence in {_CATALOGUE.name}: {sorted(codes - known)}"


def _problem_codes() -> Iterator[str]:
    """Codes of the problem documents that the API and the gateway return."""
    for folder in ("api", "access", "photos", "."):
        for path in (_ORDERS / folder).glob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.ClassDef):
                    yield from (_text(keyword.value) for keyword in node.keywords if keyword.arg == "code")
                elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "problem":
                    yield _text(node.args[1])
    for path in (_ROOT / "deploy" / "nginx").glob("*.template"):
        yield from re.findall(r'"code":"([a-z_]+)"', path.read_text(encoding="utf-8"))


def _text(node: ast.expr) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def test_every_problem_of_the_api_has_a_text() -> None:
    codes = set(_problem_codes()) - _NOT_OF_THE_DASHBOARD - {""}
    assert {"exports_busy", "database_unavailable", "too_large"} <= codes, "nothing was found"
    texts = "".join(path.read_text(encoding="utf-8") for path in _TEXTS.glob("*.ts"))
    known = set(re.findall(r'^  "error\.([a-z_]+)":', texts, re.MULTILINE))
    assert codes <= known, f"without a text in {_TEXTS.name}: {sorted(codes - known)}"
