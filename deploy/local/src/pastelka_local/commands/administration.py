"""Commands of the orders service (``pastelka tokens``, ``dead-letters`` and others)."""

import os

import typer

from pastelka_local.accounts import service_environment
from pastelka_local.settings import read_settings

_HELP = {
    "tokens": "Create, list and revoke API tokens.",
    "users": "Add, list and change users who sign in with a password.",
    "dead-letters": "List, show, requeue and dismiss jobs that ended after their last attempt.",
    "refused-messages": "List, retry and discard messages that the broker refuses.",
    "reconcile": "Run one pass of the reconciler.",
    "erase": "Erase a customer: files and rows.",
}
_PASSED_ON = {"allow_extra_args": True, "ignore_unknown_options": True}


def add_to(app: typer.Typer) -> None:
    """Add the commands; the orders service parses all arguments after the name, ``--help`` included."""
    for name, text in _HELP.items():
        app.command(name, help=text, context_settings=_PASSED_ON, add_help_option=False)(_run)


def _run(context: typer.Context) -> None:
    from pastelka_orders import commands  # noqa: PLC0415 - the other commands do not wait for it

    settings = read_settings()
    # Variables of the environment (another database, for example) override those of the local stack.
    named = {name: value for name, value in settings.environment.items() if value}
    os.environ.update({**service_environment(settings.run), **named})
    arguments = [context.info_name or "", *context.args]
    raise typer.Exit(commands.main(arguments, prog="pastelka"))
