"""The built dashboard of this checkout (``frontend/``), which the gateway serves at ``/``."""

from pathlib import Path

from pastelka_common.servers.base import Report, deploy_folder, silent
from pastelka_local.dashboard.build import Dashboard
from pastelka_local.dashboard.node import DashboardError


def dashboard() -> Dashboard:
    """This checkout's dashboard. Raises :class:`ServerError` outside a checkout."""
    return Dashboard(deploy_folder().parent)


def dist(say: Report = silent) -> Path:
    """Folder of the built dashboard; builds it if its sources have changed. Blocks.

    ``say`` gets a line for each step. Raises :class:`DashboardError`.
    """
    return dashboard().dist(say)


__all__ = ["Dashboard", "DashboardError", "dashboard", "dist"]
