"""The table of processes and the configuration generated from it."""

import configparser
import json
import shlex
import stat
from pathlib import Path

from pastelka_local.keys import stack_secrets
from pastelka_local.plan import MonitoredProcess, Process, StackFile, service_processes
from pastelka_local.private import make_private
from pastelka_local.settings import read_settings
from pastelka_local.supervision import render_config, socket_path


def test_each_replica_runs_on_its_own_port(tmp_path: Path):
    settings = read_settings(
        {"PASTELKA_DATA_DIR": str(tmp_path), "COLORING_REPLICAS": "3", "NOTIFIER_REPLICAS": "0"}
    )
    processes = service_processes(settings)
    assert [process.name for process in processes] == [
        *("orders-api", "orders-worker", "coloring", "coloring-2", "coloring-3", "vectorize"),
    ]
    assert len({process.port for process in processes}) == len(processes)
    for process in processes:
        assert process.env["PORT"] == str(process.port)
        assert process.probe == f"http://127.0.0.1:{process.port}/readyz"


def test_supervisord_accepts_the_rendered_configuration(tmp_path: Path):
    odd = Process(
        name="odd",
        group="services",
        command=["/opt/my python", "-g", "daemon off; user root;", "100%"],
        folder=tmp_path,
        env={"PORT": "1", "HALF": "50%"},
        stop_signal="INT",
        stop_seconds=7,
    )
    parser = configparser.RawConfigParser(inline_comment_prefixes=(";", "#"), strict=False)
    parser.read_string(render_config([odd], tmp_path, tmp_path))
    program = parser["program:odd"]
    assert shlex.split(program["command"].replace("%%", "%")) == odd.command
    assert program["environment"] == 'PORT="1",HALF="50%%"'
    assert (program["stopsignal"], program["stopwaitsecs"]) == ("INT", "7")
    assert parser["group:services"]["programs"] == "odd"


def test_services_stop_before_the_servers_they_use(tmp_path: Path):
    groups = ("watch", "servers", "services")
    processes = [Process(name=group, group=group, command=["x"], folder=tmp_path) for group in groups]
    parser = configparser.RawConfigParser(strict=False)
    parser.read_string(render_config(processes, tmp_path, tmp_path))
    first, second, third = (int(parser[f"group:{group}"]["priority"]) for group in groups)
    assert first < second < third


def test_a_deep_folder_gets_a_short_socket_path(tmp_path: Path):
    deep = tmp_path / ("deep" * 30)
    assert len(str(socket_path(deep))) <= 103
    assert socket_path(deep) != socket_path(tmp_path / ("deep" * 31))
    assert socket_path(Path("/srv/run")) == Path("/srv/run/supervisor.sock")


def test_secrets_are_generated_once_with_owner_only_permissions(tmp_path: Path):
    drawn = stack_secrets(tmp_path)
    assert drawn == stack_secrets(tmp_path)
    assert len(set(drawn.values())) == 3
    assert stat.S_IMODE((tmp_path / "secrets.json").stat().st_mode) == 0o600


def test_a_secret_missing_from_an_earlier_version_is_added(tmp_path: Path):
    keys = {"MERCURE_PUBLISHER_JWT_KEY": "a" * 48, "MERCURE_SUBSCRIBER_JWT_KEY": "b" * 48}
    (tmp_path / "secrets.json").write_text(json.dumps(keys))
    drawn = stack_secrets(tmp_path)
    assert keys.items() <= drawn.items()
    assert len(drawn["NATS_PASSWORD"]) > 30
    assert drawn == stack_secrets(tmp_path)


def test_permissions_of_an_earlier_data_folder_are_tightened(tmp_path: Path):
    data = tmp_path / "data"
    for name in ("run", "log", "storage/images/1", "nats"):
        (data / name).mkdir(parents=True)
    files = ["run/supervisord.conf", "log/nats.log", "storage/images/1/image_1.jpg", "nats/nats.conf"]
    for name in files:
        (data / name).write_text("x")
        (data / name).chmod(0o644)
    (data / "link").symlink_to("/etc/passwd")
    for folder in (data, *(path for path in data.rglob("*") if path.is_dir())):
        folder.chmod(0o755)
    make_private(data, [data / "run", data / "log", data / "storage"])
    modes = {stat.S_IMODE(path.lstat().st_mode) for path in data.rglob("*") if not path.is_symlink()}
    assert modes == {0o700, 0o600}
    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    assert stat.S_IMODE(Path("/etc/passwd").stat().st_mode) & 0o044


def test_the_stack_file_is_read_back_and_holds_no_secret(tmp_path: Path):
    stack = StackFile(
        "http://localhost:1", "http://localhost:2/static", (MonitoredProcess("nats", 3, "http://x"),)
    )
    stack.write(tmp_path)
    assert StackFile.read(tmp_path) == stack
    kept = json.loads((tmp_path / "stack.json").read_text())
    assert set(kept) == {"address", "static_url", "processes", "auth_mode"}
    assert StackFile.read(tmp_path / "nowhere") is None
