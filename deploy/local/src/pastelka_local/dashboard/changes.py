"""Asks git whether a branch changes the dashboard."""

import subprocess
from pathlib import Path

_PARTS = ("frontend", "services/orders/openapi.json")
"""Paths that the dashboard's checks read."""
_MAIN = ("origin/main", "main")


def is_changed(root: Path) -> bool:
    """Whether the checkout ``root`` differs from its merge base with main in files that the checks read.

    Includes commits, the work tree and new files. ``True`` if git fails. Blocks.
    """
    bases = (_git(root, "merge-base", "HEAD", main) for main in _MAIN)
    base = next((found for found in bases if found), None)
    if base is None:
        return True
    changed = _git(root, "diff", "--name-only", base, "--", *_PARTS)
    added = _git(root, "ls-files", "--others", "--exclude-standard", "--", *_PARTS)
    return changed != "" or added != ""


def _git(root: Path, *arguments: str) -> str | None:
    """Output of git, or ``None`` if it failed or is not installed."""
    command = ["git", "-C", str(root), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - as above
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()
