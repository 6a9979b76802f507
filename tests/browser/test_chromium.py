"""How a Chromium is found, and installed if there is none."""

from pathlib import Path

import pytest

from tests.browser.chromium import (
    ADVICE,
    ChromiumMissingError,
    find_chromium,
    install_commands,
    require_chromium,
    running_chromium,
)


def program(path: Path) -> Path:
    """An executable file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def environment(tmp_path: Path, **more: str) -> dict[str, str]:
    """An environment without any Chromium of this machine."""
    (tmp_path / "bin").mkdir(exist_ok=True)
    return {"PATH": str(tmp_path / "bin"), "HOME": str(tmp_path / "home"), **more}


def test_chromium_bin_takes_precedence(tmp_path: Path) -> None:
    given = program(tmp_path / "mine")
    program(tmp_path / "bin" / "chromium")
    assert find_chromium(environment(tmp_path, CHROMIUM_BIN=str(given))) == given


@pytest.mark.parametrize("wrong", ["missing", "folder", "text"])
def test_a_wrong_chromium_bin_is_an_error(tmp_path: Path, wrong: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "text").write_text("no program")
    program(tmp_path / "bin" / "chromium")
    with pytest.raises(ChromiumMissingError, match=r"CHROMIUM_BIN is .* give the path of a Chromium"):
        find_chromium(environment(tmp_path, CHROMIUM_BIN=str(tmp_path / wrong)))


def test_programs_on_the_path_are_found_in_order(tmp_path: Path) -> None:
    chrome = program(tmp_path / "bin" / "google-chrome")
    assert find_chromium(environment(tmp_path)) == chrome
    chromium = program(tmp_path / "bin" / "chromium")
    assert find_chromium(environment(tmp_path)) == chromium


@pytest.mark.parametrize(
    "inside",
    [
        ".cache/ms-playwright/chromium-1200/chrome-linux64/chrome",
        ".cache/ms-playwright/chromium_headless_shell-1200/chrome-linux/headless_shell",
        "Library/Caches/ms-playwright/chromium-1200/chrome-mac/Chromium.app/Contents/MacOS/Chromium",
    ],
)
def test_a_download_of_playwright_is_found(tmp_path: Path, inside: str) -> None:
    assert find_chromium(environment(tmp_path)) is None
    downloaded = program(tmp_path / "home" / inside)
    assert find_chromium(environment(tmp_path)) == downloaded


def test_a_download_elsewhere_is_found(tmp_path: Path) -> None:
    downloaded = program(tmp_path / "there" / "chromium-1200" / "chrome-linux" / "chrome")
    given = environment(tmp_path, PLAYWRIGHT_BROWSERS_PATH=str(tmp_path / "there"))
    assert find_chromium(given) == downloaded


def test_a_missing_chromium_is_installed_by_the_first_command_that_succeeds(tmp_path: Path) -> None:
    target = tmp_path / "bin" / "chromium"
    install = ("/bin/sh", "-c", f"printf '#!/bin/sh\\n' > {target}; /bin/chmod +x {target}")
    commands = [("/bin/sh", "-c", "exit 1"), (str(tmp_path / "no-such-program"),), install]
    assert require_chromium(environment(tmp_path), commands) == target


def test_an_installed_chromium_that_does_not_run_is_rejected(tmp_path: Path) -> None:
    target = tmp_path / "bin" / "chromium"
    install = ("/bin/sh", "-c", f"printf '#!/bin/sh\\nexit 127\\n' > {target}; /bin/chmod +x {target}")
    with pytest.raises(ChromiumMissingError):
        require_chromium(environment(tmp_path), [install])


def test_an_existing_chromium_is_not_reinstalled(tmp_path: Path) -> None:
    there = program(tmp_path / "bin" / "chromium")
    touched = tmp_path / "touched"
    assert require_chromium(environment(tmp_path), [("/bin/sh", "-c", f": > {touched}")]) == there
    assert not touched.exists()


def test_without_an_install_command_the_error_names_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(ChromiumMissingError) as error:
        require_chromium(environment(tmp_path), [("/bin/sh", "-c", "exit 0"), ("/bin/sh", "-c", "exit 1")])
    assert str(error.value) == ADVICE
    assert "CHROMIUM_BIN" in ADVICE
    assert ADVICE.count(".") == 1


def test_only_root_on_debian_may_use_apt() -> None:
    for is_root, has_apt in ((False, True), (True, False), (False, False)):
        commands = install_commands(is_root=is_root, has_apt=has_apt)
        assert [command[1:] for command in commands] == [("-m", "playwright", "install", "chromium")]
    assert "apt-get" in [command[0] for command in install_commands(is_root=True, has_apt=True)]


@pytest.mark.browser
async def test_chromium_runs_with_a_fresh_profile() -> None:
    async with running_chromium() as browser:
        page = await browser.new_page()
        await page.goto("data:text/html,<title>here</title>")
        assert await page.title() == "here"
        assert await page.context.cookies() == []
