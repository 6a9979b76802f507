"""Import rules of the workspace, and other rules that a review could miss."""

import ast
import sys
import tomllib
from collections.abc import Collection, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SERVICES = {"orders", "coloring", "vectorize", "notifier"}
DATABASE = {"sqlalchemy", "asyncpg", "alembic"}
DOMAIN = ROOT / "services/orders/src/pastelka_orders/domain"
# The parts of the library that start real servers for tests and the local stack.
PLAYS_DATABASE = {ROOT / "libs/common/src/pastelka_common" / room for room in ("servers", "testing")}


def _members() -> list[Path]:
    patterns = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["uv"]["workspace"]["members"]
    return sorted(
        path for pattern in patterns for path in ROOT.glob(pattern) if (path / "pyproject.toml").is_file()
    )


def _sources(member: Path) -> list[Path]:
    return sorted((member / "src").rglob("*.py"))


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def _imports(path: Path) -> Iterator[str]:
    """Every module named in an import anywhere in the file, also inside functions."""
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            module = node.module or ""
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)


def _offenders(member: Path, forbidden: set[str], *, allowed: Collection[Path] = ()) -> list[str]:
    return [
        f"{path.relative_to(ROOT)} imports {module}"
        for path in _sources(member)
        if not any(path.is_relative_to(room) for room in allowed)
        for module in _imports(path)
        if module.split(".")[0] in forbidden
    ]


SERVICE_FOLDERS = [ROOT / "services" / name for name in sorted(SERVICES)]


def _name(path: Path) -> str:
    return path.name


def test_the_workspace_has_the_known_members():
    assert {path.relative_to(ROOT).as_posix() for path in _members()} == {
        "deploy/local",
        "libs/common",
        *(f"services/{name}" for name in SERVICES),
    }
    assert all(len(_sources(member)) > 3 for member in _members())


@pytest.mark.parametrize("service", SERVICE_FOLDERS, ids=_name)
def test_no_service_imports_another(service: Path):
    others = {f"pastelka_{name}" for name in SERVICES - {service.name}} | {"pastelka_local"}
    assert _offenders(service, others) == []


def test_the_library_imports_no_service():
    services = {f"pastelka_{name}" for name in SERVICES} | {"pastelka_local"}
    assert _offenders(ROOT / "libs/common", services) == []


@pytest.mark.parametrize("member", [path for path in _members() if path.name != "orders"], ids=_name)
def test_only_orders_imports_the_database(member: Path):
    assert _offenders(member, DATABASE, allowed=PLAYS_DATABASE) == []


def test_services_do_not_import_test_servers():
    for service in SERVICE_FOLDERS:
        for path in _sources(service):
            for module in _imports(path):
                assert not module.startswith(("pastelka_common.testing", "pastelka_common.servers")), path


def test_the_domain_imports_no_infrastructure():
    ours = ("pastelka_common.contracts", "pastelka_orders.domain")
    modules = sorted(DOMAIN.rglob("*.py"))
    assert modules
    for path in modules:
        for module in _imports(path):
            known = module.split(".")[0] in sys.stdlib_module_names
            assert known or module.startswith(ours), f"{path.relative_to(ROOT)} imports {module}"


def test_contracts_import_neither_broker_nor_storage():
    contracts = ROOT / "libs/common/src/pastelka_common/contracts"
    for path in sorted(contracts.glob("*.py")):
        if path.name == "asyncapi.py":  # describes the topology
            continue
        for module in _imports(path):
            assert not module.startswith("nats"), path
            assert not module.startswith("pastelka_common.") or module.startswith(
                "pastelka_common.contracts"
            ), path


@pytest.mark.parametrize("member", _members(), ids=_name)
def test_every_member_has_tests_that_the_root_runs(member: Path):
    configuration = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["pytest"]["ini_options"]
    tests = member / "tests"
    assert tests.relative_to(ROOT).as_posix() in configuration["testpaths"]
    found = [
        node.name
        for path in tests.rglob("test_*.py")
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
    ]
    assert found, f"{member.relative_to(ROOT)} has no tests"


@pytest.mark.parametrize("member", SERVICE_FOLDERS, ids=_name)
def test_nothing_is_printed(member: Path):
    printing = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in _sources(member)
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    assert printing == []


@pytest.mark.parametrize("member", _members(), ids=_name)
def test_no_package_is_called_utils(member: Path):
    names = {part for path in _sources(member) for part in path.relative_to(member).with_suffix("").parts}
    assert not names & {"utils", "util", "helpers", "misc", "common"}
