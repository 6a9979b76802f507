"""Running the chain: at once from several processes, from the command line, and what goes wrong."""

import asyncio

import pytest
from sqlalchemy import make_url

from pastelka_orders import migrations_runner as runner
from pastelka_orders.entrypoints.migrate import main

KNOWN_HEAD = runner.head()


async def test_concurrent_upgrades_apply_each_revision_once(database, new_database):
    alone: list[str] = []
    await runner.upgrade((await new_database()).url, report=alone.append)
    alone = [line for line in alone if "->" in line]
    reports: list[list[str]] = [[], [], []]
    await asyncio.gather(*(runner.upgrade(database.url, report=lines.append) for lines in reports))
    steps = [line for lines in reports for line in lines if "->" in line]
    assert len(steps) == len(set(steps)) == len(alone)
    assert sum(f"already at {KNOWN_HEAD}" in lines for lines in reports) == 2
    assert await runner.current(database.url) == KNOWN_HEAD


async def test_a_failing_upgrade_leaves_the_database_as_it_was(database):
    await database.upgrade("006")
    await database.execute("CREATE TABLE outbox (id int)")  # in the way of a later revision
    before = await database.schema()
    with pytest.raises(Exception, match="outbox"):
        await database.upgrade()
    assert await runner.current(database.url) == "006"
    assert await database.schema() == before


async def test_an_unknown_revision_is_named(database):
    await database.upgrade("004")
    await database.execute("UPDATE alembic_version SET version_num = '4bf86552fe5b'")
    with pytest.raises(runner.MigrationError, match=f"4bf86552fe5b.*knows 001 to {KNOWN_HEAD}"):
        await database.upgrade()


@pytest.mark.parametrize(
    "url", ["secret", "mysql://user:secret@host/db", "postgresql://u:secret@host:port/db"]
)
async def test_an_invalid_url_is_rejected_without_its_password(url):
    with pytest.raises(runner.DatabaseUrlError, match="expected postgresql\\+asyncpg") as raised:
        await runner.upgrade(url)
    assert "secret" not in str(raised.value)


async def test_the_command_upgrades_reports_and_downgrades(database, monkeypatch, capsys):
    # Hosting platforms hand out URLs without the driver.
    plain = make_url(database.url).set(drivername="postgresql").render_as_string(hide_password=False)
    monkeypatch.setenv("DATABASE_URL", plain)
    assert await asyncio.to_thread(main, []) == 0
    assert "migrate: empty -> 001:" in capsys.readouterr().out
    assert await asyncio.to_thread(main, ["current"]) == 0
    assert capsys.readouterr().out == f"migrate: at {KNOWN_HEAD}, head is {KNOWN_HEAD}\n"
    assert await asyncio.to_thread(main, ["downgrade", "004"]) == 0
    assert "migrate: 005 -> 004:" in capsys.readouterr().out
    assert await asyncio.to_thread(main, ["upgrade", "005"]) == 0
    assert await runner.current(database.url) == "005"


async def test_the_command_takes_the_storage_path_from_the_environment(old_installation, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", old_installation.url)
    monkeypatch.setenv("STORAGE_PATH", "/srv/photos/1/")
    assert await asyncio.to_thread(main, []) == 0
    assert await old_installation.rows("SELECT path FROM images WHERE id = 3") == [("10/image_2.jpg",)]


async def test_the_command_reports_a_malformed_setting(monkeypatch, capsys):
    monkeypatch.setenv("DATABASE_URL", "mysql://user:secret@host/db")
    assert await asyncio.to_thread(main, []) == 2
    error = capsys.readouterr().err
    assert error.startswith(
        "migrate: DATABASE_URL: the database URL begins with mysql://; expected postgresql"
    )
    assert "secret" not in error


async def test_the_command_names_a_missing_setting(monkeypatch, capsys):
    monkeypatch.delenv("DATABASE_URL", raising=False)
    assert await asyncio.to_thread(main, []) == 2
    assert "DATABASE_URL is missing" in capsys.readouterr().err


async def test_the_command_reports_an_unreachable_database_in_one_line(monkeypatch, capsys, unused_tcp_port):
    monkeypatch.setenv("DATABASE_URL", f"postgresql+asyncpg://u:secret@127.0.0.1:{unused_tcp_port}/d")
    assert await asyncio.to_thread(main, []) == 1
    error = capsys.readouterr().err
    assert error.startswith("migrate: upgrade failed: ")
    assert error.count("\n") == 1
    assert "secret" not in error


async def test_the_command_reports_an_unknown_revision_in_one_line(database, monkeypatch, capsys):
    monkeypatch.setenv("DATABASE_URL", database.url)
    assert await asyncio.to_thread(main, ["upgrade", "999"]) == 1
    assert "cannot go from revision empty to 999" in capsys.readouterr().err
