"""Metrics of deliveries; the row jobs of orders use the same ones."""

from prometheus_client import Counter, Gauge, Histogram

IN_PROGRESS = Gauge("pastelka_jobs_in_progress", "Jobs a process is working on", ["consumer"])
ENDED = Counter("pastelka_deliveries_total", "Deliveries by how they ended", ["consumer", "outcome"])
SECONDS = Histogram(
    "messaging_process_duration_seconds",
    "From delivery to outcome",
    ["messaging_system", "messaging_destination_name", "messaging_consumer_group_name", "error_type"],
    buckets=(0.01, 0.05, 0.1, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600),
)
RETRIES = Counter("pastelka_retries_total", "Attempts that are retried", ["consumer", "code"])
