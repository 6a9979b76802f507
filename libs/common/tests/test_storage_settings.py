"""Which storage the environment names, and what is refused."""

from datetime import timedelta
from pathlib import Path

import pytest

from pastelka_common.storage import FolderStorage, StorageSettings, open_storage
from pastelka_common.storage.bucket import BucketStorage

SECRET = "s3cret-enough-to-be-found"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    names = ("STORAGE_URL", "STORAGE_PATH", "AWS_ENDPOINT_URL", "AWS_REGION", "AWS_DEFAULT_REGION")
    for name in (*names, "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


def test_the_default_storage_is_a_folder(environment: pytest.MonkeyPatch, tmp_path: Path):
    assert StorageSettings.load().storage_path == Path("/data/images")
    environment.setenv("STORAGE_PATH", str(tmp_path))
    environment.setenv("STORAGE_URL", "")
    environment.setenv("AWS_ACCESS_KEY_ID", "of another user, without its secret")
    assert isinstance(open_storage(StorageSettings.load()), FolderStorage)


@pytest.mark.parametrize(
    ("url", "bucket", "prefix"),
    [
        ("s3://photos", "photos", ""),
        ("s3://photos/", "photos", ""),
        ("s3://photos.example-1/shop/a%20b/", "photos.example-1", "shop/a b"),
    ],
)
def test_a_bucket_url_selects_a_bucket(environment: pytest.MonkeyPatch, url: str, bucket: str, prefix: str):
    environment.setenv("STORAGE_URL", url)
    environment.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    environment.setenv("AWS_ACCESS_KEY_ID", "AKIA-known")
    environment.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    settings = StorageSettings.load()
    assert (settings.bucket, settings.prefix, settings.aws_region) == (bucket, prefix, "eu-central-1")
    assert isinstance(open_storage(settings), BucketStorage)
    assert SECRET in settings.secrets()
    assert SECRET not in repr(settings)
    assert "AKIA-known" not in repr(settings)


@pytest.mark.parametrize(
    ("region", "default", "found"),
    [
        (None, None, "us-east-1"),
        ("", "", "us-east-1"),
        ("", "eu-central-1", "eu-central-1"),
        ("eu-west-1", "eu-central-1", "eu-west-1"),
    ],
)
def test_an_empty_region_falls_back_to_the_default(
    environment: pytest.MonkeyPatch, region: str | None, default: str | None, found: str
):
    for name, value in (("AWS_REGION", region), ("AWS_DEFAULT_REGION", default)):
        if value is not None:
            environment.setenv(name, value)
    assert StorageSettings.load().aws_region == found


async def test_empty_variables_are_ignored(environment: pytest.MonkeyPatch):
    environment.setenv("STORAGE_URL", "s3://photos/shop")
    for name in ("AWS_ENDPOINT_URL", "AWS_REGION", "AWS_SESSION_TOKEN"):
        environment.setenv(name, "")
    environment.setenv("AWS_ACCESS_KEY_ID", "AKIA-known")
    environment.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    url = await open_storage(StorageSettings.load()).presign("1/a.jpg", lifetime=timedelta(minutes=1))
    assert url is not None
    assert url.startswith("https://s3.us-east-1.amazonaws.com/photos/shop/1/a.jpg?")
    assert "Token" not in url


@pytest.mark.parametrize(
    ("name", "value", "what"),
    [
        ("STORAGE_URL", "/srv/photos", "STORAGE_URL: Value error, must be s3://bucket"),
        ("STORAGE_URL", "https://photos.s3.amazonaws.com", "STORAGE_URL: Value error, must be s3://bucket"),
        ("STORAGE_URL", f"s3://key:{SECRET}@photos", "keys go into AWS_ACCESS_KEY_ID"),
        ("STORAGE_URL", "s3://", "has no valid bucket name"),
        ("STORAGE_URL", "s3://Photos", "has no valid bucket name"),
        ("STORAGE_URL", "s3://photos/../other", "has a prefix with .. in it"),
        ("AWS_ENDPOINT_URL", "minio:9000", "AWS_ENDPOINT_URL must be http(s)://host"),
        ("AWS_ENDPOINT_URL", f"http://key:{SECRET}@host/path", "AWS_ENDPOINT_URL must be http(s)://host"),
        ("AWS_ENDPOINT_URL", f"http://key:{SECRET}@host", "AWS_ENDPOINT_URL must be http(s)://host"),
        ("AWS_SECRET_ACCESS_KEY", SECRET, "go together: set both or neither"),
        ("AWS_ACCESS_KEY_ID", SECRET, "go together: set both or neither"),
    ],
)
def test_malformed_storage_settings_end_the_process(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, value: str, what: str
):
    environment.setenv("STORAGE_URL", "s3://photos")
    environment.setenv(name, value)
    with pytest.raises(SystemExit) as ended:
        StorageSettings.load()
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert what in said
    assert SECRET not in said
