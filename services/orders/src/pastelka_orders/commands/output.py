"""Standard output of commands."""

import json
import sys


def print_line(line: str) -> None:
    """Print one line for people."""
    sys.stdout.write(f"{line}\n")


def print_json(document: object) -> None:
    """Print a JSON document for programs."""
    print_line(json.dumps(document, indent=2))
