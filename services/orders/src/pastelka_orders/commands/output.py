"""Standard output of commands."""

import json
import sys


def say(line: str) -> None:
    """Print one line for people."""
    sys.stdout.write(f"{line}\n")


def say_json(document: object) -> None:
    """Print a JSON document for programs."""
    say(json.dumps(document, indent=2))
