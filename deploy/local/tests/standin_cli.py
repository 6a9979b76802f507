"""``pastelka`` with stand-ins for the services: ``python standin_cli.py up``."""

from pathlib import Path

from pastelka_local import cli, plan

_STANDIN = str(Path(__file__).with_name("standin.py"))

plan.SERVICES = (
    plan.ServiceKind("orders-api", (_STANDIN,), needs_database=True),
    plan.ServiceKind("coloring", (_STANDIN,)),
)
plan.MIGRATE = (_STANDIN, "migrate")
cli.main()
