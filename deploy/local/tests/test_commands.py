"""``pastelka`` without running services."""

import importlib.metadata
import json
import os
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image, ImageDraw
from typer.testing import CliRunner

from pastelka_local.cli import app
from pastelka_local.commands import administration

runner = CliRunner()


def test_version():
    answer = runner.invoke(app, ["--version"])
    assert answer.output == f"pastelka {importlib.metadata.version('pastelka-local')}\n"


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_page_writes_a_png_and_an_svg(tmp_path: Path):
    image = Image.new("RGB", (640, 480), "white")
    ImageDraw.Draw(image).ellipse((160, 80, 480, 400), fill="navy")
    photo = tmp_path / "photo.heic.jpg"
    content = BytesIO()
    image.save(content, "JPEG")
    photo.write_bytes(content.getvalue())
    page = tmp_path / "drawn.png"
    answer = runner.invoke(app, ["page", str(photo), "-o", str(page), "--megapixels", "0.5", "--json"])
    assert answer.exit_code == 0, answer.output
    assert json.loads(answer.stdout) == {"page": str(page), "svg": str(page.with_suffix(".svg"))}
    with Image.open(page) as drawn:
        assert drawn.width * drawn.height == pytest.approx(500_000, rel=0.1)
        assert drawn.crop((0, 100, 10, 110)).getextrema()[0] < 100, "no frame"
    assert "<svg" in page.with_suffix(".svg").read_text()[:500]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_page_in_a_style(tmp_path: Path):
    image = Image.new("RGB", (640, 480), "white")
    ImageDraw.Draw(image).ellipse((160, 80, 480, 400), fill="navy")
    image.save(tmp_path / "photo.png")
    page = tmp_path / "page.png"
    given = ["page", str(tmp_path / "photo.png"), "-o", str(page), "--megapixels", "0.5"]
    answer = runner.invoke(app, [*given, "--no-frame", "--background", "none", "--line-weight", "bold"])
    assert answer.exit_code == 0, answer.output
    with Image.open(page) as drawn:
        assert drawn.crop((0, 100, 10, 110)).getextrema()[0] == 255
        assert drawn.getextrema()[0] == 0
    refused = runner.invoke(app, [*given, "--line-weight", "heavy"])
    assert refused.exit_code == 2
    assert "'thin', 'normal', 'bold'" in refused.output


def test_page_of_a_file_that_is_not_a_photo_writes_nothing(tmp_path: Path):
    photo = tmp_path / "notes.jpg"
    photo.write_text("no photo")
    answer = runner.invoke(app, ["page", str(photo), "-o", str(tmp_path / "drawn.png")])
    assert answer.exit_code == 1
    assert str(photo) in str(answer.exception)
    assert [file.name for file in tmp_path.iterdir()] == ["notes.jpg"]


@pytest.mark.parametrize(
    "command", ["tokens", "users", "dead-letters", "refused-messages", "reconcile", "erase"]
)
def test_help_of_a_service_command_comes_from_the_service(command: str, capfd: pytest.CaptureFixture[str]):
    answer = runner.invoke(app, [command, "--help"])
    assert answer.exit_code == 0
    assert f"usage: pastelka {command}" in answer.output + capfd.readouterr().out


def test_an_empty_variable_does_not_override_the_stack(monkeypatch: pytest.MonkeyPatch):
    """As in Compose and dotenv files, an empty value counts as unset."""
    stack = {"DATABASE_URL": "postgresql://stack/orders", "NATS_URL": "nats://stack"}
    monkeypatch.setattr(administration, "service_environment", lambda _run: stack)
    monkeypatch.setenv("DATABASE_URL", "")
    monkeypatch.setenv("NATS_URL", "nats://named")
    monkeypatch.setattr("pastelka_orders.commands.main", lambda *_args, **_named: 0)
    assert runner.invoke(app, ["reconcile"]).exit_code == 0
    assert (os.environ["DATABASE_URL"], os.environ["NATS_URL"]) == (stack["DATABASE_URL"], "nats://named")
