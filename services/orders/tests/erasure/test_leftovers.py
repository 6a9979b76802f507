"""Photos that a killed process left in a temporary folder."""

import os
import time
from pathlib import Path

import pytest

from pastelka_orders.photos.intake import remove_temp_folders


async def test_only_our_old_temporary_folders_are_deleted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    hours_ago = time.time() - 7 * 3600
    for name in ("pastelka-photos-old", "pastelka-download-old", "pastelka-photos-new", "of-another-user"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "1").write_bytes(b"a photo")
        if not name.endswith("new"):
            os.utime(folder, (hours_ago, hours_ago))
    (tmp_path / "pastelka-photos-link").symlink_to(tmp_path / "of-another-user")
    assert await remove_temp_folders() == 2
    assert names(tmp_path) == ["of-another-user", "pastelka-photos-link", "pastelka-photos-new"]
    assert names(tmp_path / "of-another-user") == ["1"]
    assert await remove_temp_folders() == 0


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())
