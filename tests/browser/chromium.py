"""Finds, installs and starts a Chromium for tests and measurements.

``async with running_chromium() as browser`` yields Playwright's ``Browser``. The search order is
``CHROMIUM_BIN``, the PATH, and Playwright's downloads; without one, Playwright downloads one, or apt installs
one (Debian, as root).
"""

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from playwright.async_api import Browser, async_playwright

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
ADVICE = (
    "No Chromium was found and none could be installed: install one (Debian: apt-get install chromium;"
    " elsewhere: uv run playwright install --with-deps chromium) or set CHROMIUM_BIN to the path of one."
)
_INSTALL_SECONDS = 900
_IN_DOWNLOADS = (
    "chromium-*/chrome-linux*/chrome",
    "chromium-*/chrome-mac*/*.app/Contents/MacOS/*",
    "chromium_headless_shell-*/chrome-*/*headless*shell",
)


class ChromiumMissingError(Exception):
    """There is no Chromium; the message names the remedy in one sentence."""


def find_chromium(environment: Mapping[str, str] | None = None) -> Path | None:
    """An installed Chromium, or ``None``.

    Raises :class:`ChromiumMissingError` if ``CHROMIUM_BIN`` is not a program.
    """
    environment = os.environ if environment is None else environment
    if given := environment.get("CHROMIUM_BIN"):
        return _given(given)
    path = environment.get("PATH")
    on_path = (shutil.which(program, path=path) for program in PROGRAMS)
    found = next((program for program in on_path if program), None)
    return Path(found) if found else _downloaded(environment)


def _given(path: str) -> Path:
    if not os.access(path, os.X_OK) or Path(path).is_dir():
        raise ChromiumMissingError(
            f"CHROMIUM_BIN is {path!r}, which is not a program; give the path of a Chromium or unset it."
        )
    return Path(path)


def _downloaded(environment: Mapping[str, str]) -> Path | None:
    """The newest of Playwright's downloads."""
    found = [
        program
        for folder in _download_folders(environment)
        for pattern in _IN_DOWNLOADS
        for program in folder.glob(pattern)
        if os.access(program, os.X_OK)
    ]
    return max(found, key=lambda program: program.stat().st_mtime, default=None)


def _download_folders(environment: Mapping[str, str]) -> Iterable[Path]:
    if given := environment.get("PLAYWRIGHT_BROWSERS_PATH"):
        return (Path(given),)
    home = Path(environment.get("HOME") or Path.home())
    caches = Path(environment.get("XDG_CACHE_HOME") or home / ".cache")
    return (caches / "ms-playwright", home / "Library" / "Caches" / "ms-playwright")


def install_commands(*, is_root: bool, has_apt: bool) -> list[Sequence[str]]:
    """Commands that install Chromium, in the order to try them."""
    commands: list[Sequence[str]] = [(sys.executable, "-m", "playwright", "install", "chromium")]
    if is_root and has_apt:
        # The distribution's package includes its libraries; a download runs only where they are installed.
        install = "apt-get install -y --no-install-recommends chromium"
        commands += [tuple(install.split()), ("sh", "-c", f"apt-get update && {install}")]
    return commands


def require_chromium(
    environment: Mapping[str, str] | None = None, commands: Sequence[Sequence[str]] | None = None
) -> Path:
    """An installed Chromium, or the one that the first successful command installs. Blocks.

    Raises :class:`ChromiumMissingError`.
    """
    environment = os.environ if environment is None else environment
    if found := find_chromium(environment):
        return found
    if commands is None:
        commands = install_commands(is_root=_is_root(), has_apt=shutil.which("apt-get") is not None)
    for command in commands:
        sys.stderr.write(f"No Chromium was found; installing one: {' '.join(command)}\n")
        found = find_chromium(environment) if _succeeds(command, environment) else None
        # A downloaded Chromium may lack system libraries.
        if found and _succeeds((str(found), "--version"), environment):
            return found
    raise ChromiumMissingError(ADVICE)


def _succeeds(command: Sequence[str], environment: Mapping[str, str]) -> bool:
    try:
        done = subprocess.run(
            command, env=dict(environment), timeout=_INSTALL_SECONDS, check=False, stdout=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        sys.stderr.write(f"{error}\n")
        return False
    return done.returncode == 0


def _is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0


@asynccontextmanager
async def running_chromium(
    *, headed: bool | None = None, flags: Sequence[str] = ()
) -> AsyncIterator[Browser]:
    """Run a Chromium with a fresh profile; ``flags`` are added to the default ones.

    ``headed`` shows its window; the default is the environment's ``HEADED=1``.
    """
    if headed is None:
        headed = os.environ.get("HEADED", "") not in {"", "0"}
    program = await asyncio.to_thread(require_chromium)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=program,
            headless=not headed,
            # Chromium cannot start its sandbox as root.
            chromium_sandbox=not _is_root(),
            args=[*FLAGS, *flags],
        )
        try:
            yield browser
        finally:
            await browser.close()
