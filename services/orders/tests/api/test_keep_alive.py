"""Idle connections between the gateway and the API."""

import re

from pastelka_common.servers.base import deploy_folder
from pastelka_orders.entrypoints.api import KEEP_ALIVE


def test_the_gateway_closes_idle_connections_before_the_api_does() -> None:
    template = (deploy_folder() / "nginx" / "nginx.conf.template").read_text(encoding="utf-8")
    upstream = re.search(r"upstream orders_api \{(.*?)\n    \}", template, re.DOTALL)
    assert upstream, "the gateway has no upstream orders_api"
    kept = re.search(r"keepalive_timeout (\d+)s;", upstream.group(1))
    assert kept, "the gateway keeps idle connections for as long as it likes"
    assert int(kept.group(1)) < KEEP_ALIVE
