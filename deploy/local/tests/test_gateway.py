"""How the environment configures the gateway, and which values are rejected."""

import re
from pathlib import Path

import pytest

from pastelka_common.servers import NginxServer
from pastelka_common.servers.base import deploy_folder
from pastelka_common.servers.nginx_templates import defaults
from pastelka_local.gateway import gateway_settings
from pastelka_local.settings import SettingsError, read_settings


def of(**environment: str) -> dict[str, str]:
    return gateway_settings(read_settings(environment))


def test_by_default_loopback_is_a_trusted_proxy_without_limits():
    settings = of()
    assert settings["RATE_EXEMPT"] == "127.0.0.0/8 0; ::1/128 0;"
    assert settings["REAL_IP_FROM"] == "set_real_ip_from 127.0.0.1/32; set_real_ip_from ::1/128;"
    assert settings["AUTH_PEERS"] == ""
    assert "STATIC_ORIGIN" not in settings


def test_environment_variables_reach_the_gateway():
    settings = of(
        RATE_COSTLY="30",
        RATE_EXEMPT="",
        HUB_STREAMS="8",
        TRUSTED_PROXIES="10.0.0.7",
        AUTH_TRUSTED_PROXIES="10.0.0.8",
        AUTH_PROXY_USER_HEADER="Remote-User",
        STATIC_URL="https://files.example.com/static",
    )
    assert settings["RATE_COSTLY"] == "30"
    assert settings["RATE_EXEMPT"] == ""
    assert settings["HUB_STREAMS"] == "8"
    assert settings["TRUSTED_PEERS"] == "10.0.0.7/32 1; 10.0.0.8/32 1;"
    assert settings["AUTH_PEERS"] == "10.0.0.8/32 1;"
    assert settings["AUTH_PROXY_USER_VARIABLE"] == "http_remote_user"
    assert settings["STATIC_ORIGIN"] == "https://files.example.com"
    assert settings["LOOPBACK_ORIGIN"] == ""


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("RATE_API", "0"),
        ("RATE_API", "many"),
        ("RATE_FILES", "59"),
        ("RATE_COSTLY", "11"),
        ("RATE_LOGIN_BURST", "-1"),
        ("HUB_STREAMS", "0"),
        ("RATE_EXEMPT", "localhost"),
        ("TRUSTED_PROXIES", "10.0.0.0/8; deny all"),
        ("AUTH_TRUSTED_PROXIES", "proxy"),
        ("AUTH_PROXY_USER_HEADER", "Remote User"),
        ("STATIC_URL", "files/static"),
        ("STATIC_URL", "https://a;script-src/"),
    ],
)
def test_a_malformed_gateway_setting_is_named_with_its_value(name: str, value: str):
    with pytest.raises(SettingsError) as refused:
        of(**{name: value})
    assert name in str(refused.value)
    assert value.split(";", maxsplit=1)[0] in str(refused.value)


def test_every_template_variable_has_a_value_and_is_in_the_readme(tmp_path: Path):
    folder = deploy_folder() / "nginx"
    asked = {
        name
        for file in folder.glob("*.template")
        for name in re.findall(r"\$\{([A-Z_]+)\}", file.read_text())
    }
    server = NginxServer(folder=tmp_path, storage=tmp_path, page=tmp_path)
    known = {**defaults(folder), **server._variables()}
    assert asked == set(known)
    readme = (folder / "README.md").read_text()
    assert [name for name in asked if f"`{name}`" not in readme] == []


def test_the_gateway_uses_the_bucket_of_the_services():
    assert not [name for name in of(AWS_ENDPOINT_URL="http://store:9000") if name.startswith("BUCKET_")]
    found = of(STORAGE_URL="s3://photos/shop", AWS_ENDPOINT_URL="http://store.example.com:9000")
    assert {name: value for name, value in found.items() if name.startswith(("BUCKET_", "FILES_"))} == {
        "FILES_IN": "bucket",
        "BUCKET_SCHEME": "http",
        "BUCKET_HOST": "store.example.com:9000",
        "BUCKET_SERVER": "store.example.com:9000",
        "BUCKET_NAME": "store.example.com",
        "BUCKET_TLS": "",
    }
    amazon = of(STORAGE_URL="s3://photos", AWS_REGION="", AWS_DEFAULT_REGION="eu-central-1")
    assert amazon["BUCKET_HOST"] == "s3.eu-central-1.amazonaws.com"
    assert amazon["BUCKET_SERVER"] == "s3.eu-central-1.amazonaws.com:443"
    assert amazon["BUCKET_TLS"].startswith("proxy_ssl_verify on;")
    given = of(STORAGE_URL="s3://photos", BUCKET_SERVER="10.0.0.7:443")
    assert given["BUCKET_SERVER"] == "10.0.0.7:443"


@pytest.mark.parametrize(
    "endpoint", ["store:9000", "ftp://store", "http://store:x", 'http://a"b', "http://u:p@s"]
)
def test_a_malformed_store_endpoint_is_named(endpoint: str):
    with pytest.raises(SettingsError, match=r"^AWS_ENDPOINT_URL: http\(s\)://host"):
        of(STORAGE_URL="s3://photos", AWS_ENDPOINT_URL=endpoint)
