"""What only a bucket does: signed addresses, types, and refusals that tell no secret."""

from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import aiohttp
import pytest
from obstore.store import S3Store

from pastelka_common.errors import PermanentError, TransientError
from pastelka_common.servers import BucketServer, free_port, running
from pastelka_common.sources import source_local_copy
from pastelka_common.storage import StorageNotMountedError, StorageSettings
from pastelka_common.storage.bucket import BucketStorage, parse_bucket_url

PATH = "42/121/image 1.jpg"


@pytest.fixture
def settings(bucket_server: BucketServer, monkeypatch: pytest.MonkeyPatch) -> StorageSettings:
    for name, value in bucket_server.settings(uuid4().hex).items():
        monkeypatch.setenv(name, value)
    return StorageSettings.load()


@pytest.fixture
def storage(settings: StorageSettings) -> BucketStorage:
    return BucketStorage(parse_bucket_url(settings))


async def _get(url: str) -> tuple[int, str, bytes]:
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        return response.status, response.content_type, await response.read()


async def test_a_presigned_url_grants_access_to_one_file(storage: BucketStorage):
    await storage.write(PATH, b"photo")
    url = await storage.presign(PATH, lifetime=timedelta(minutes=1))
    assert await _get(url) == (200, "image/jpeg", b"photo")
    assert (await _get(url.split("?")[0]))[0] == 403
    assert (await _get(url.replace("image%201.jpg", "image%202.jpg")))[0] == 403
    missing = await storage.presign("42/none.jpg", lifetime=timedelta(minutes=1))
    assert (await _get(missing))[0] == 404


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.svg", "image/svg+xml"),
        ("A.JPG", "image/jpeg"),
        ("thumb_a.png.webp", "image/webp"),
        ("a.html", "application/octet-stream"),
        ("a", "application/octet-stream"),
    ],
)
async def test_the_content_type_is_an_image_type_or_octet_stream(
    storage: BucketStorage, tmp_path: Path, name: str, kind: str
):
    (tmp_path / "sent").write_bytes(b"x" * 6_000_000)
    await storage.write(f"1/{name}", b"x")
    await storage.put_file(f"2/{name}", tmp_path / "sent")
    for folder in (1, 2):
        url = await storage.presign(f"{folder}/{name}", lifetime=timedelta(minutes=1))
        assert (await _get(url))[:2] == (200, kind)


def _changed(settings: StorageSettings, **changes: str) -> BucketStorage:
    return BucketStorage(parse_bucket_url(settings.model_copy(update=changes)))


@pytest.fixture(params=["another bucket", "unknown key", "no server"])
def broken(request: pytest.FixtureRequest, settings: StorageSettings) -> BucketStorage:
    if request.param == "another bucket":
        return _changed(settings, storage_url=f"s3://{'other'}-{uuid4().hex[:8]}")
    if request.param == "unknown key":
        return _changed(settings, aws_access_key_id="unknown-key")
    return _changed(settings, aws_endpoint_url=f"http://127.0.0.1:{free_port()}")


async def test_an_unreachable_bucket_is_not_a_missing_file(
    broken: BucketStorage, settings: StorageSettings, tmp_path: Path
):
    (tmp_path / "sent").write_bytes(b"x")
    tries = [
        lambda: broken.read(PATH),
        lambda: broken.write(PATH, b"x"),
        lambda: broken.put_file(PATH, tmp_path / "sent"),
        lambda: broken.exists(PATH),
        lambda: broken.size(PATH),
        broken.ping,
        lambda: broken.remove(PATH),
        lambda: broken.prefix_exists("42"),
        lambda: broken.usage("42", []),
        lambda: broken.erase("42", []),
    ]
    for attempt in tries:
        with pytest.raises(OSError, match="The bucket") as refused:
            await attempt()
        assert not isinstance(refused.value, FileNotFoundError)
        assert refused.value.strerror
        for secret in (settings.aws_access_key_id, "127.0.0.1", "http", "unknown-key"):
            assert secret not in str(refused.value)
    with pytest.raises(StorageNotMountedError, match="The storage cannot be read: The bucket"):
        await broken.ensure_mounted(may_be_empty=True)
    with pytest.raises(TransientError) as failed:
        async with source_local_copy(broken, PATH):
            pass
    assert failed.value.code == "storage_unavailable"


async def test_a_source_outside_the_root_is_a_permanent_error(storage: BucketStorage):
    with pytest.raises(PermanentError) as failed:
        async with source_local_copy(storage, "../x.png"):
            pass
    assert failed.value.code == "unsafe_path"


@pytest.fixture
def own_server(tmp_path: Path, bucket_server: BucketServer) -> BucketServer:
    """A server to be stopped; the shared one has made sure that there is a program."""
    server = BucketServer(folder=tmp_path / "own")
    server.prepare()
    return server


@pytest.mark.server
async def test_an_acknowledged_write_survives_a_killed_server(own_server: BucketServer):
    storage = BucketStorage(
        S3Store(
            own_server.bucket,
            config={
                "region": "us-east-1",
                "endpoint": own_server.url,
                "access_key_id": own_server.access_key,
                "secret_access_key": own_server.secret_key,
            },
            client_options={"allow_http": True},
        )
    )
    async with running(own_server) as process:
        await storage.write(PATH, b"photo")
        await process.kill()
    async with running(own_server):
        assert await storage.read(PATH) == b"photo"
