"""Error messages for an invalid environment."""

import pytest

from pastelka_notifier.settings import NotifierSettings

GOOD = {
    "MERCURE_URL": "http://hub/.well-known/mercure",
    "MERCURE_PUBLISHER_JWT_KEY": "a-key-that-is-long-enough",
}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch):
    def use(**changes: str | None) -> None:
        for name, value in {**GOOD, "MERCURE_CONCURRENCY": None, **changes}.items():
            if value is None:
                monkeypatch.delenv(name, raising=False)
            else:
                monkeypatch.setenv(name, value)

    return use


def test_a_complete_environment(environment):
    environment(MERCURE_CONCURRENCY="7")
    settings = NotifierSettings.load()
    assert settings.mercure_url == GOOD["MERCURE_URL"]
    assert settings.mercure_publisher_jwt_key.get_secret_value() == GOOD["MERCURE_PUBLISHER_JWT_KEY"]
    assert settings.mercure_concurrency == 7
    assert GOOD["MERCURE_PUBLISHER_JWT_KEY"] not in repr(settings)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"MERCURE_URL": None}, "MERCURE_URL: is missing"),
        ({"MERCURE_URL": "hub:3000"}, "MERCURE_URL: "),
        ({"MERCURE_PUBLISHER_JWT_KEY": None}, "MERCURE_PUBLISHER_JWT_KEY: is missing"),
        ({"MERCURE_PUBLISHER_JWT_KEY": "s3cr3t"}, "MERCURE_PUBLISHER_JWT_KEY: "),
        ({"MERCURE_CONCURRENCY": "0"}, "MERCURE_CONCURRENCY: "),
        ({"MERCURE_CONCURRENCY": "many"}, "MERCURE_CONCURRENCY: "),
    ],
)
def test_an_invalid_setting_is_named_and_ends_the_process(environment, capsys, changes, complaint):
    environment(**changes)
    with pytest.raises(SystemExit) as ended:
        NotifierSettings.load()
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert said.startswith(complaint)
    assert "s3cr3t" not in said


def test_all_invalid_settings_are_reported_at_once(environment, capsys):
    environment(MERCURE_URL=None, MERCURE_PUBLISHER_JWT_KEY=None)
    with pytest.raises(SystemExit):
        NotifierSettings.load()
    assert len(capsys.readouterr().err.splitlines()) == 2
