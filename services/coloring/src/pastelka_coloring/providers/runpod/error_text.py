"""Extracts the error that a RunPod worker reports, in any of the common formats."""

import json
from collections.abc import Iterable

_KEYS = ("error_message", "error", "errors", "message", "detail", "reason")
_MAX_JSON_LENGTH = 100_000
_MAX_DEPTH = 6


def reported_error(error: object, output: object) -> str:
    """The text of a job's ``error``, else of the error in its ``output``; empty if there is none.

    Handlers return a text, an object with one of several keys (RunPod's own worker: ``error_message``
    and a traceback), a list of those, or any of them as JSON text.
    """
    return _text(error, 0) or _text_in_output(output, 0)


def _text(value: object, depth: int) -> str:
    if depth > _MAX_DEPTH or value is None or isinstance(value, bool):
        return ""
    if isinstance(value, str):
        return _text(_parsed(value), depth + 1) or value.strip()
    if isinstance(value, dict):
        named = _first(_text(value.get(key), depth + 1) for key in _KEYS)
        return named or (json.dumps(value, ensure_ascii=False) if value else "")
    if isinstance(value, list):
        return _first(_text(item, depth + 1) for item in value)
    return str(value)


def _text_in_output(output: object, depth: int) -> str:
    """Like :func:`_text`, but only named errors count, since an output may contain other data."""
    if depth > _MAX_DEPTH:
        return ""
    if isinstance(output, str):
        return _text_in_output(_parsed(output), depth + 1)
    if isinstance(output, list):
        return _first(_text_in_output(item, depth + 1) for item in output)
    if not isinstance(output, dict):
        return ""
    named = _first(_text(output.get(key), depth + 1) for key in _KEYS)
    return named or _text_in_output(output.get("output"), depth + 1)


def _first(texts: Iterable[str]) -> str:
    return next(filter(None, texts), "")


def _parsed(text: str) -> object:
    """Parse a JSON object or list, else ``None``."""
    if not text.lstrip().startswith(("{", "[")) or len(text) > _MAX_JSON_LENGTH:
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
