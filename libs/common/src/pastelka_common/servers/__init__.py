"""Real servers on loopback, each with its own folder.

PostgreSQL, NATS, the Mercure hub, nginx and an S3-compatible server. The local stack runs them
below its process manager, the tests with :func:`running`.
"""

from pastelka_common.servers.base import Server, ServerError
from pastelka_common.servers.bucket import BucketServer
from pastelka_common.servers.mercure import MercureServer
from pastelka_common.servers.nats import NatsServer
from pastelka_common.servers.nginx import NginxServer
from pastelka_common.servers.ports import free_port
from pastelka_common.servers.postgres import PostgresServer
from pastelka_common.servers.process import ServerProcess, running

__all__ = [
    "BucketServer",
    "MercureServer",
    "NatsServer",
    "NginxServer",
    "PostgresServer",
    "Server",
    "ServerError",
    "ServerProcess",
    "free_port",
    "running",
]
