"""``python -m tests.faults.other_version ERA MODULE``: a service that writes messages of another version.

``past`` writes only the fields of the first version of the messages, and no ``schema_version``; ``future``
writes fields that no service knows yet under a higher ``schema_version``. The service itself is the present
one: it reads the messages of services of the other version.
"""

import json
import runpy
import sys
from collections.abc import Callable
from typing import Any

from pastelka_common.contracts.messages import Message

FIRST_FIELDS = {
    *(
        "version_id",
        "run",
        "first_attempt",
        "order_number",
        "image_id",
        "source",
        "target",
        "provider_job_id",
    ),
    *("options", "url", "order_id", "attempt", "step", "at", "path", "failure", "status", "event"),
    *("status_type", "previous", "original_subject", "original_payload", "original_headers", "trace_id"),
}
"""Fields of every message in the project's first release."""

Content = dict[str, Any]


def _past(content: Content) -> Content:
    return {name: value for name, value in content.items() if name in FIRST_FIELDS}


def _future(content: Content) -> Content:
    return {**content, "schema_version": 99, "mood": {"of": ["the", "day"]}, "weight": 0.5}


ERAS: dict[str, Callable[[Content], Content]] = {"past": _past, "future": _future}


def main() -> None:
    """Run a service's module with its outgoing messages rewritten."""
    era, module = sys.argv[1], sys.argv[2]
    write, rewrite = Message.model_dump_json, ERAS[era]

    def written(self: Message, **options: Any) -> str:
        return json.dumps(rewrite(json.loads(write(self, **options))))

    Message.model_dump_json = written  # type: ignore[method-assign, assignment]
    sys.argv = [module]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
