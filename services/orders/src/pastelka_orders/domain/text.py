"""Sanitizes external text: removes invisible characters. Pure.

Control characters (Unicode category Cc) break lines, headers and logs; format characters (Cf) reverse the
reading direction or hide in a name (https://www.unicode.org/reports/tr36/, "Trojan Source"). Those that
scripts need are kept: joiners between two characters (emoji, Persian, Indic scripts), the visible number
signs of Arabic and Syriac, and the tags of a flag.
"""

import re
import unicodedata

_INVISIBLE = {"Cc", "Cf", "Cs"}
_JOINERS = "\u200c\u200d"
_VISIBLE = frozenset("\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd")
_BREAK = re.compile(r"[\t\n\v\f\r\x1c-\x1f\x85\u2028\u2029]+")
_RUN_OF_JOINERS = re.compile(rf"([{_JOINERS}])[{_JOINERS}]+")
_LONE_JOINERS = re.compile(rf"(?<!\S)[{_JOINERS}]+|[{_JOINERS}]+(?!\S)")
_FLAG = re.compile("(\U0001f3f4[\U000e0030-\U000e007a]{2,6}\U000e007f)")


def single_line(text: str) -> str:
    """Sanitize a name or number: line breaks become spaces; invisible characters and outer spaces go."""
    return _without_invisible(_BREAK.sub(" ", text)).strip()


def lines(text: str) -> str:
    """Sanitize text that may have several lines, ended by ``\\n``, and tabs."""
    parts = re.split(r"\r\n|[\n\r\x85\u2028\u2029]", text)
    return "\n".join("\t".join(map(_without_invisible, part.split("\t"))) for part in parts).strip()


def _without_invisible(text: str) -> str:
    if text.isascii() and text.isprintable():
        return text
    # Every second part is a flag.
    parts = _FLAG.split(text)
    parts[::2] = ["".join(one for one in part if _is_kept(one)) for part in parts[::2]]
    # Runs first: the other pattern needs quadratic time for a long one.
    return _LONE_JOINERS.sub("", _RUN_OF_JOINERS.sub(r"\1", "".join(parts)))


def _is_kept(character: str) -> bool:
    return character in _JOINERS or character in _VISIBLE or unicodedata.category(character) not in _INVISIBLE
