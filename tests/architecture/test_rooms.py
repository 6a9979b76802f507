"""Package boundaries: SQL, tables, version jobs, and names."""

import ast
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ORDERS = ROOT / "services/orders/src/pastelka_orders"
COMMON = ROOT / "libs/common/src/pastelka_common"
SQL = {"select", "insert", "update", "delete", "text"}
MAY_HOLD_SQL = {"repository", "models", "migrations", "migrations_runner.py"}
SMALL = 60
"""Lines; a smaller module with one caller is merged into it."""
TABLES = {"orders", "books", "versions", "access", "internal"}


def _sources(folder: Path) -> list[Path]:
    found = sorted(folder.rglob("*.py"))
    assert found, f"{folder} has no modules"
    return found


def _nodes(path: Path) -> Iterator[ast.AST]:
    return ast.walk(ast.parse(path.read_text(encoding="utf-8"), filename=str(path)))


def _imports(path: Path) -> Iterator[tuple[str, str]]:
    """``(module, name)`` of every import, also inside functions; ``name`` is empty for ``import module``."""
    for node in _nodes(path):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.module or "", alias.name) for alias in node.names)


def _is_within(module: str, name: str, package: str) -> bool:
    full = f"{module}.{name}" if name else module
    return f"{full}.".startswith(f"{package}.")


def _breaches(folder: Path, *packages: str) -> list[str]:
    return [
        f"{path.relative_to(ROOT)} imports {name} of {module}"
        for path in _sources(folder)
        for module, name in _imports(path)
        if any(_is_within(module, name, package) for package in packages)
    ]


def test_the_repository_imports_neither_the_shop_nor_the_api():
    packages = [
        f"pastelka_orders.{room}" for room in ("shopify", "api", "schemas", "system_schemas", "handlers")
    ]
    assert _breaches(ORDERS / "repository", *packages) == []


def test_sql_is_written_in_the_repository_only():
    breaches = [
        f"{path.relative_to(ROOT)} imports {name} of {module}"
        for path in _sources(ORDERS)
        if path.relative_to(ORDERS).parts[0] not in MAY_HOLD_SQL
        for module, name in _imports(path)
        if (module.startswith("sqlalchemy") and name in SQL)
        or _is_within(module, name, "pastelka_orders.repository.sql")
    ]
    assert breaches == []


def test_all_tables_are_in_models():
    declared = {
        path.relative_to(ORDERS).as_posix()
        for path in _sources(ORDERS)
        for node in _nodes(path)
        if isinstance(node, ast.Assign)
        and any(isinstance(target, ast.Name) and target.id == "__tablename__" for target in node.targets)
    }
    assert declared == {f"models/{name}.py" for name in TABLES}


def test_messaging_does_not_import_version_jobs():
    packages = [f"pastelka_common.{room}" for room in ("jobs", "storage", "thumbnails", "contracts.statuses")]
    assert _breaches(COMMON / "messaging", *packages) == []


@pytest.mark.parametrize("package", ["photos", "shopify"])
def test_a_small_module_has_more_than_one_caller(package: str):
    callers: dict[str, set[Path]] = defaultdict(set)
    for path in _sources(ORDERS):
        for module, name in _imports(path):
            callers[module].add(path)
            callers[f"{module}.{name}"].add(path)
    modules = [path for path in _sources(ORDERS / package) if path.name != "__init__.py"]
    small = [path for path in modules if len(path.read_text(encoding="utf-8").splitlines()) < SMALL]
    joinable = {
        path.stem: [str(one) for one in callers[f"pastelka_orders.{package}.{path.stem}"]] for path in small
    }
    assert {name: by for name, by in joinable.items() if len(by) < 2} == {}


@pytest.mark.parametrize(("package", "most"), [("photos", 13), ("shopify", 11)])
def test_photos_and_shopify_stay_small_packages(package: str, most: int):
    """These packages had 20 and 18 modules, many of them a few lines long with one caller."""
    modules = [path for path in _sources(ORDERS / package) if path.name != "__init__.py"]
    assert len(modules) <= most


def test_no_two_classes_share_a_name():
    listed = subprocess.run(
        ["git", "ls-files", "*/src/*.py"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    places: dict[str, list[str]] = defaultdict(list)
    for file in listed.stdout.splitlines():
        if not (ROOT / file).exists():
            continue
        for node in _nodes(ROOT / file):
            if isinstance(node, ast.ClassDef):
                places[node.name].append(file)
    assert places
    assert {name: files for name, files in places.items() if len(files) > 1} == {}


GENERATED = {"frontend/src/api/schema.ts"}
MOST_LINES = 400


def test_no_file_is_long():
    listed = subprocess.run(
        ["git", "ls-files", "*.py", "*.ts", "*.tsx"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    files = [ROOT / name for name in listed.stdout.splitlines() if name not in GENERATED]
    lengths = {
        path.relative_to(ROOT).as_posix(): len(path.read_text(encoding="utf-8").splitlines())
        for path in files
        if path.exists()
    }
    assert len(lengths) > 800
    assert {name: lines for name, lines in lengths.items() if lines > MOST_LINES} == {}
