"""Settings of the local stack: accepted and rejected values."""

import socket
from pathlib import Path

import pytest

from pastelka_local.settings import SettingsError, choose_public_ports, read_settings, require_same_storage


def test_the_data_folder_is_below_the_working_folder_by_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    assert read_settings({}).data == tmp_path / ".pastelka"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PASTELKA_PORT", "http"),
        ("PASTELKA_PORT", "0"),
        ("PASTELKA_STATIC_PORT", "65536"),
        ("COLORING_REPLICAS", "-1"),
        ("NOTIFIER_REPLICAS", "33"),
        ("VECTORIZE_REPLICAS", "two"),
        ("PASTELKA_DATA_DIR", "/srv/a;b"),
        ("PASTELKA_STORAGE", "bucket"),
    ],
)
def test_a_malformed_setting_is_named_with_its_value(name: str, value: str):
    with pytest.raises(SettingsError) as refused:
        read_settings({name: value})
    assert name in str(refused.value)
    assert value in str(refused.value)


def test_a_configured_port_in_use_is_an_error_naming_the_variable():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SettingsError, match=rf"{port} is taken.*PASTELKA_STATIC_PORT"):
            choose_public_ports(read_settings({"PASTELKA_STATIC_PORT": str(port)}))


def test_the_default_port_falls_back_to_the_next_free_one(monkeypatch: pytest.MonkeyPatch):
    taken = {8080, 8081, 8082}
    monkeypatch.setattr("pastelka_local.settings.is_free", lambda port: port not in taken)
    port, static, notes = choose_public_ports(read_settings({}))
    assert (port, static) == (8083, 8084)
    assert "8083" in notes[0]
    assert "PASTELKA_PORT" in notes[0]


def test_both_ports_must_differ():
    with pytest.raises(SettingsError, match="different"):
        choose_public_ports(read_settings({"PASTELKA_PORT": "19999", "PASTELKA_STATIC_PORT": "19999"}))


def test_storage_is_a_folder_or_the_stacks_bucket_or_an_external_one():
    assert not read_settings({"PASTELKA_STORAGE": ""}).own_bucket
    assert not read_settings({"STORAGE_URL": "s3://photos"}).own_bucket
    assert read_settings({"PASTELKA_STORAGE": "s3"}).own_bucket
    with pytest.raises(SettingsError, match="PASTELKA_STORAGE is s3 and STORAGE_URL names another bucket"):
        read_settings({"PASTELKA_STORAGE": "s3", "STORAGE_URL": "s3://photos"})


@pytest.mark.parametrize(
    ("file", "asked", "fits"),
    [
        ("storage/images/1/1/image_1.jpg", "s3", False),
        ("storage/images/1/1/image_1.jpg", "folder", True),
        ("s3/objects/pastelka/1/1/image_1.jpg", "folder", False),
        ("s3/objects/pastelka/1/1/image_1.jpg", "s3", True),
        ("s3/objects/pastelka/.sgwtmp/ab/cd", "folder", True),
    ],
)
def test_a_data_folder_keeps_its_kind_of_storage(tmp_path: Path, file: str, asked: str, fits: bool):
    (tmp_path / file).parent.mkdir(parents=True)
    (tmp_path / file).touch()
    environment = {"PASTELKA_DATA_DIR": str(tmp_path), "PASTELKA_STORAGE": asked}
    if fits:
        require_same_storage(read_settings(environment))
        return
    with pytest.raises(SettingsError, match="or name another PASTELKA_DATA_DIR"):
        require_same_storage(read_settings(environment))
    if asked == "folder":
        require_same_storage(read_settings({**environment, "STORAGE_URL": "s3://photos"}))
