"""Storage of the files, a volume or a bucket: mounts, credentials and network access."""

import re

import pytest

from pastelka_common.storage import StorageSettings
from pastelka_common.storage.bucket import parse_bucket_url
from tests.chart.chart import COMPONENTS, Rendered, rendered, template
from tests.chart.settings import SETTINGS, environment, from_secrets
from tests.chart.test_network import ANYBODY, Arrow, arrows

SIGNING = ("orders-api", "orders-worker", "coloring", "vectorize")
ASKING = (*SIGNING, "gateway")
KEYS = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}
BUCKETS = ("bucket", "bucket-identity")
WITH_BUCKET = (*BUCKETS, "after-restore")


def _endpoint(url: str, *more: str) -> Rendered:
    return rendered("bucket", "--set", ",".join([f"storage.bucket.endpoint={url}", *more]))


def _upstream(case: Rendered) -> dict[str, str]:
    """The variables of nginx that describe the bucket."""
    files = case.of("ConfigMap")["gateway"]["data"]
    passing = files["bucket_pass.conf"]
    found = {
        "scheme": re.search(r"proxy_pass (\w+)://bucket", passing),
        "host": re.search(r'proxy_set_header Host "(.*)"', passing),
        "name": re.search(r'proxy_ssl_name "(.*)"', passing),
        "server": re.search(r"upstream bucket \{[^}]*?\bserver (\S+) ", files["nginx.conf"]),
    }
    return {name: match[1] if match else "" for name, match in found.items()}


@pytest.mark.parametrize("name", BUCKETS)
def test_with_a_bucket_there_is_no_volume(name: str) -> None:
    case = rendered(name)
    assert not case.of("PersistentVolumeClaim")
    assert "persistentVolumeClaim" not in str(case.pods())
    for component in COMPONENTS:
        assert "/data/images" not in {one["mountPath"] for one in case.container(component)["volumeMounts"]}


def test_with_a_claim_there_is_no_bucket(case: Rendered) -> None:
    if case.case in WITH_BUCKET:
        return
    for component in ASKING:
        assert "files" in {one["name"] for one in case.container(component)["volumeMounts"]}, component
    for _, container in case.containers():
        names = {one["name"] for one in container.get("env", [])}
        assert not {name for name in names if name.startswith(("STORAGE_URL", "AWS_"))}
    assert case.of("ConfigMap")["gateway"]["data"]["files.conf"].count("include folder.conf;") == 1


@pytest.mark.parametrize("name", BUCKETS)
@pytest.mark.parametrize("service", SIGNING)
def test_the_services_open_the_bucket(name: str, service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Opens the bucket through the library with the services' own settings; no request is sent."""
    given = environment(rendered(name).container(service))
    for variable in KEYS | {"AWS_ENDPOINT_URL", "AWS_SESSION_TOKEN"}:
        monkeypatch.delenv(variable, raising=False)
    for variable, value in given.items():
        monkeypatch.setenv(variable, value)
    settings = SETTINGS[service]()
    assert isinstance(settings, StorageSettings)
    store = parse_bucket_url(settings)
    assert (store.config["bucket"], store.prefix) == {
        "bucket": ("pastelka", "studio"),
        "bucket-identity": ("studio-pastelka", None),
    }[name]
    assert store.config["region"] == "eu-central-1"
    assert store.config.get("endpoint") == {"bucket": "https://store.objects.svc"}.get(name)


@pytest.mark.parametrize("name", BUCKETS)
def test_only_components_that_sign_requests_have_keys(name: str) -> None:
    case = rendered(name)
    for component, container in case.containers():
        has = KEYS & from_secrets(container)
        assert has == (KEYS if component in SIGNING and name == "bucket" else set()), component


def test_a_session_token_comes_from_the_secret() -> None:
    container = rendered("bucket", "--set", "storage.bucket.sessionTokenKey=token").container("coloring")
    (token,) = [one for one in container["env"] if one["name"] == "AWS_SESSION_TOKEN"]
    assert token["valueFrom"]["secretKeyRef"] == {"name": "pastelka-bucket", "key": "token"}


@pytest.mark.parametrize(
    ("endpoint", "expected"),
    [
        ("https://store.objects.svc", ("https", "store.objects.svc", "store.objects.svc:443")),
        ("https://store.objects.svc/", ("https", "store.objects.svc", "store.objects.svc:443")),
        ("https://store:443", ("https", "store", "store:443")),
        ("https://store:9000", ("https", "store:9000", "store:9000")),
        ("http://store", ("http", "store", "store:80")),
        ("http://store:443", ("http", "store:443", "store:443")),
        ("http://10.0.0.7:9000", ("http", "10.0.0.7:9000", "10.0.0.7:9000")),
        ("https://[fd00::7]:9000", ("https", "[fd00::7]:9000", "[fd00::7]:9000")),
        ("https://[fd00::7]", ("https", "[fd00::7]", "[fd00::7]:443")),
        ("", ("https", "s3.eu-central-1.amazonaws.com", "s3.eu-central-1.amazonaws.com:443")),
    ],
)
def test_the_gateway_sends_the_signed_host(endpoint: str, expected: tuple[str, str, str]) -> None:
    upstream = _upstream(_endpoint(endpoint))
    assert (upstream["scheme"], upstream["host"], upstream["server"]) == expected
    assert upstream["name"] == re.sub(r":\d+$", "", expected[1]).strip("[]")


def test_certificates_are_verified() -> None:
    def text(url: str) -> str:
        return str(_endpoint(url).of("ConfigMap")["gateway"]["data"]["bucket_pass.conf"])

    assert "proxy_ssl_verify on;" in text("https://store")
    assert "proxy_ssl_trusted_certificate /etc/ssl/certs/ca-certificates.crt;" in text("https://store")
    assert "proxy_ssl_verify on;" not in text("http://store")


def test_only_clients_of_the_store_have_egress_to_it() -> None:
    out, _ = arrows(rendered("bucket"))
    assert {arrow for arrow in out if arrow.target == "objects"} == {
        Arrow(component, "objects", 9000) for component in ASKING
    }


def test_without_a_peer_egress_to_the_store_is_limited_by_port() -> None:
    for url, port in (("http://store", 80), ("https://store", 443), ("https://store:9443", 9443)):
        case = _endpoint(url, "networkPolicy.storage=null,networkPolicy.storagePort=null")
        out, _ = arrows(case)
        found = {arrow for arrow in out if arrow.target == ANYBODY and arrow.port == port}
        assert found == {Arrow(component, ANYBODY, port) for component in ASKING}


def test_components_that_sign_reach_their_credentials() -> None:
    out, _ = arrows(rendered("bucket-identity"))
    assert {arrow for arrow in out if arrow.target == "10.20.9.9/32"} == {
        Arrow(component, "10.20.9.9/32", 443) for component in SIGNING
    }
    with_keys = rendered("bucket-identity", "--set", "storage.bucket.existingSecret=keys")
    assert not {arrow for arrow in arrows(with_keys)[0] if arrow.target == "10.20.9.9/32"}


def test_local_copies_have_a_writable_volume() -> None:
    """The root file system is read-only: local copies go to the volume for temporary files."""
    for component in SIGNING:
        pod = rendered("bucket").pods()[component]["spec"]
        (tmp,) = [one for one in pod["volumes"] if one["name"] == "tmp"]
        assert tmp["emptyDir"]["sizeLimit"] in {"1Gi", "2Gi", "4Gi", "8Gi"}
        mounts = rendered("bucket").container(component)["volumeMounts"]
        assert {"name": "tmp", "mountPath": "/tmp"} in mounts  # noqa: S108 - of a pod


@pytest.mark.parametrize(
    ("case", "settings", "complaint"),
    [
        ("minimal", "storage.kind=bucket", "storage.kind is bucket, and storage.existingClaim"),
        ("minimal", "storage.kind=bucket", "storage.kind is bucket, which needs storage.bucket.url"),
        ("minimal", "storage.bucket.url=s3://files", "storage.bucket is set, and storage.kind is claim"),
        ("minimal", "storage.kind=folder", "value must be one of"),
        ("bucket", "storage.existingClaim=files", "storage.existingClaim names a claim"),
        ("bucket", "storage.bucket.url=https://files", "does not match pattern"),
        ("bucket", "storage.bucket.url=s3://key:secret@files", "does not match pattern"),
        ("bucket", "storage.bucket.url=s3://Files", "does not match pattern"),
        ("bucket", "storage.bucket.endpoint=store:9000", "does not match pattern"),
        ("bucket", "storage.bucket.endpoint=https://store/path", "does not match pattern"),
        ("bucket", "storage.bucket.accessKey=secret", "additional properties 'accessKey' not allowed"),
        ("bucket", "networkPolicy.storagePort=0", "minimum: got 0, want 1"),
    ],
)
def test_invalid_values_are_rejected_with_a_message(case: str, settings: str, complaint: str) -> None:
    done = template(case, "--set", settings)
    assert done.returncode != 0
    assert complaint in done.stderr, done.stderr
