"""Settings that are wrong are named, without their values, and end the program with 2."""

import pytest
from pydantic import Field, SecretStr

from pastelka_common.settings import ServiceSettings


class Settings(ServiceSettings):
    """Settings of some service."""

    api_key: SecretStr = Field(min_length=20)
    hosts: list[str] = Field(default_factory=list)


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in ("NATS_URL", "PORT", "HOST", "LOG_LEVEL", "STREAM_REPLICAS", "SHUTDOWN_GRACE", "HOSTS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("API_KEY", "k" * 20)
    return monkeypatch


def _complaints(capsys: pytest.CaptureFixture[str]) -> list[str]:
    with pytest.raises(SystemExit) as ended:
        Settings.load()
    assert ended.value.code == 2
    said = capsys.readouterr()
    assert said.out == ""
    return said.err.splitlines()


def test_defaults_and_values(environment: pytest.MonkeyPatch):
    environment.setenv("PORT", "9001")
    settings = Settings.load()
    assert settings.nats_url == "nats://localhost:4222"
    assert settings.port == 9001
    assert "k" * 20 not in repr(settings)


def test_a_missing_setting(environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    environment.delenv("API_KEY")
    assert _complaints(capsys) == ["API_KEY: is missing"]


@pytest.mark.parametrize(
    ("name", "value", "what"),
    [
        ("PORT", "s3cret", "valid integer"),
        ("PORT", "70000", "less than or equal to 65535"),
        ("LOG_LEVEL", "s3cret", "should match pattern"),
        ("API_KEY", "s3cret", "at least 20 items"),
        ("STREAM_REPLICAS", "0", "greater than or equal to 1"),
        ("SHUTDOWN_GRACE", "-1.5", "greater than 0"),
    ],
)
def test_a_malformed_setting_is_named_without_its_value(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, value: str, what: str
):
    environment.setenv(name, value)
    (line,) = _complaints(capsys)
    assert line.startswith(f"{name}: ")
    assert what in line
    assert "s3cret" not in line


def test_all_invalid_settings_are_named_at_once(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    environment.delenv("API_KEY")
    environment.setenv("PORT", "none")
    assert sorted(line.split(":")[0] for line in _complaints(capsys)) == ["API_KEY", "PORT"]


def test_a_list_that_is_not_json_is_reported(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    environment.setenv("HOSTS", "s3cret")
    (line,) = _complaints(capsys)
    assert "hosts" in line
    assert "s3cret" not in line


def test_secrets_within_urls_are_recognized(environment: pytest.MonkeyPatch):
    environment.setenv("NATS_URL", "nats://user:p%40ssword@one:4222,nats://user:another@two:4222")
    settings = Settings.load()
    assert settings.secrets() == {"k" * 20, "p%40ssword", "p@ssword", "another"}
    assert "ssword" not in repr(settings)
