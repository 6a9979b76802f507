"""Debian's buildah with a separate store outside the checkout."""

import json
import os
import platform
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import platformdirs
from filelock import FileLock

from tests.images.plan import FOLDER, ROOT, Image

_PASSED_ON = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS")
_PASSED_ON_BEGINNINGS = (
    "UV_INDEX",
    "UV_DEFAULT_INDEX",
    "UV_INSECURE_HOST",
    "GOPROXY",
    "GONO",
    "GOPRIVATE",
    "npm_config_",
)


_MOST_BYTES = 12_000_000_000


class EngineError(Exception):
    """A build failed or a requirement is missing; the message names it."""


def cache_folder() -> Path:
    """Folder that keeps stand-ins, layers and downloads between runs."""
    return platformdirs.user_cache_path("pastelka") / "images"


def missing_requirement() -> str | None:
    """One sentence that names a missing requirement, or ``None``."""
    if platform.system() != "Linux" or os.geteuid() != 0:
        return "make test-images needs Linux and root (it builds and runs images with chroot)."
    programs = ("buildah", "debootstrap", "go", "uv", "unshare", "nsenter", "setpriv", "chroot")
    missing = [program for program in programs if shutil.which(program) is None]
    if missing:
        return (
            f"make test-images needs {', '.join(missing)}; on Debian:"
            " apt-get install --no-install-recommends buildah debootstrap util-linux, and Go and uv."
        )
    return None


class Engine:
    """Builds, mounts and describes images."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "temporary").mkdir(exist_ok=True)
        self._options = ["--root", str(folder / "store"), "--runroot", str(folder / "run")]
        # Downloads shared by builds are stored below it.
        self._environment = {**os.environ, "TMPDIR": str(folder / "temporary")}

    def call(self, *arguments: str, quiet: bool = True) -> str:
        """Run buildah; returns its output. Raises :class:`EngineError` with the end of its error output."""
        process = subprocess.run(
            ["buildah", *self._options, *arguments],
            env=self._environment,
            stdout=subprocess.PIPE if quiet else None,
            stderr=subprocess.PIPE if quiet else None,
            text=True,
            check=False,
        )
        if process.returncode != 0:
            raise EngineError(f"buildah {arguments[0]} failed:\n{(process.stderr or '').strip()[-4000:]}")
        return (process.stdout or "").strip()

    def has(self, reference: str, label: str | None = None) -> bool:
        """Whether the image exists (with this value of the label ``pastelka.standin``)."""
        try:
            config = self.config(reference)
        except EngineError:
            return False
        return label is None or (config.get("Labels") or {}).get("pastelka.standin") == label

    def config(self, reference: str) -> dict[str, Any]:
        """The configuration of an image in Docker's format. Raises :class:`EngineError`."""
        described = json.loads(self.call("inspect", "--type", "image", reference))
        config: dict[str, Any] = described["Docker"]["config"]
        return config

    def history(self, reference: str) -> str:
        """The build history of an image."""
        return self.call("inspect", "--type", "image", reference)

    @contextmanager
    def locked_store(self, *, fresh: bool) -> Iterator[None]:
        """Lock the store while the body runs; first remove leftovers, and old layers if there are many.

        With ``fresh`` remove every layer that belongs to no image.
        """
        with FileLock(self.folder / "lock"):
            self.call("rm", "--all")
            if fresh or sum(self.layer_sizes().values()) > _MOST_BYTES:
                self.call("rmi", "--prune", "--force")
            yield

    def layer_sizes(self) -> dict[str, int]:
        """Bytes of each layer in the store by its digest."""
        file = self.folder / "store" / "overlay-layers" / "layers.json"
        layers = json.loads(file.read_text()) if file.exists() else []
        return {layer["diff-digest"]: layer["diff-size"] for layer in layers if "diff-digest" in layer}

    @contextmanager
    def modified_image(
        self, reference: str, *, base: str, label: str, environment: Mapping[str, str]
    ) -> Iterator[Path]:
        """Mount the files of ``base``; the changes of the body become the image ``reference``."""
        container = self.call("from", "--pull-never", base)
        try:
            yield Path(self.call("mount", container))
            self.call("umount", container)
            variables = [part for pair in environment.items() for part in ("--env", "=".join(pair))]
            self.call("config", "--label", f"pastelka.standin={label}", *variables, container)
            self.call("commit", "--quiet", container, reference)
        finally:
            self.call("rm", container)

    def build(self, image: Image, *, fresh: bool) -> None:
        """Build an image from the checkout. Raises :class:`EngineError`."""
        arguments = [
            part
            for name, value in {**image.arguments, "VERSION": "test"}.items()
            for part in ("--build-arg", f"{name}={value}")
        ]
        with tempfile.NamedTemporaryFile("w", prefix="pastelka-") as secret:
            secret.write(_environment())
            secret.flush()
            self.call(
                *("build", "--isolation=chroot", "--format=docker", "--pull-never", "--quiet"),
                *("--layers", "--force-rm", *(["--no-cache"] if fresh else []), *arguments),
                *(f"--secret=id=environment,src={secret.name}", *_certificates()),
                *("--file", str(FOLDER / image.dockerfile), "--tag", image.tag, str(ROOT)),
            )

    @contextmanager
    def mounted(self, reference: str) -> Iterator[Path]:
        """Mount the image's files in a temporary container."""
        container = self.call("from", "--pull-never", reference)
        try:
            yield Path(self.call("mount", container))
        finally:
            self.call("rm", container)


def _environment() -> str:
    """Registry settings of this machine, which builds get as the secret ``environment``."""
    chosen: Sequence[tuple[str, str]] = [
        (name, value)
        for name, value in os.environ.items()
        if name.upper() in _PASSED_ON or name.startswith(_PASSED_ON_BEGINNINGS)
    ]
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in chosen)


def _certificates() -> list[str]:
    """Bind mount of this machine's CA certificates at the same path."""
    bundles = {os.environ.get(name) for name in ("SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS")} - {None, ""}
    folders = sorted({str(Path(str(bundle)).parent) for bundle in bundles})
    return [f"--volume={folder}:{folder}:ro" for folder in folders]
