"""What a command prints to standard output: the answer, which may be JSON."""

import json
import sys


def say(line: str) -> None:
    """Print one line."""
    sys.stdout.write(f"{line}\n")


def say_json(document: object) -> None:
    """Print a document, for programs."""
    say(json.dumps(document, indent=2))
