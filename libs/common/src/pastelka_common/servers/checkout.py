"""Where the checkout's ``deploy`` folder is: the configuration of nginx and the hub lives there."""

from pathlib import Path

from pastelka_common.servers.base import ServerError


def deploy_folder() -> Path:
    """The ``deploy`` folder. Raises :class:`ServerError` outside of a checkout."""
    for folder in Path(__file__).resolve().parents:
        if (folder / "deploy" / "mercure" / "go.mod").is_file():
            return folder / "deploy"
    raise ServerError("the folder deploy/ was not found: the servers run from a checkout, with `uv sync`")
