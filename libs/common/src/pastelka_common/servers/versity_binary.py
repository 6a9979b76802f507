"""Getting the S3-compatible server's program: given by hand, or built by Go."""

import os
from pathlib import Path

from pastelka_common.servers.base import Report
from pastelka_common.servers.checkout import deploy_folder
from pastelka_common.servers.go_program import GoProgram, given

_VARIABLE = "VERSITYGW_BIN"


def versity_binary(report: Report) -> Path:
    """The server's program; ``VERSITYGW_BIN`` names one by hand. Built by Go the first time.

    Blocks, up to a few minutes. Raises :class:`ServerError`, also where there is no Go.
    """
    return given(_VARIABLE, "a versitygw") or _program().get(report)


def is_available() -> bool:
    """Whether :func:`versity_binary` has or can make the program, as far as one can see."""
    return bool(os.environ.get(_VARIABLE)) or _program().can_be_had


def _program() -> GoProgram:
    return GoProgram(
        name="versitygw",
        title="the S3-compatible server",
        sources=deploy_folder() / "s3",
        package="github.com/versity/versitygw/cmd/versitygw",
        flags=("-mod=readonly",),
        takes="about two minutes",
        otherwise="Or set VERSITYGW_BIN to the path of one that you have.",
    )
