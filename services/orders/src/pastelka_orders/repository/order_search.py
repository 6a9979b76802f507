"""Prefix search of orders by words of number, customer and e-mail, newest first.

No single index serves every search in time. Scanning orders by date is fast for a common word but reads the
whole table for a rare one; an index of words is fast for a rare word but has to sort all matches of a common
one. So the newest orders (``WALKED``) are scanned first, and older ones are looked up in the index of words
only if the page is not full. Both reads are bounded, whatever the planner's statistics are. The index by
status and date includes the words, so that this is an index-only scan: rows of a rare status are scattered
over pages.
"""

import re
import unicodedata
from dataclasses import dataclass

WALKED = 6000
"""Orders to scan by date before using the index of words."""
WALKED_FOR_A_LETTER = 12_000
"""The same if each word is one letter: the index then matches a large part of all orders."""
KEY_LENGTHS = (1, 2, 3, 4, 6, 8, 12)
"""Lengths of the indexed prefixes, as in ``order_search_keys`` (revision 029)."""

_LETTERS = "abcdefghijklmnopqrstuvwxyz"
NUMBER_DIGITS = f"ltrim(search, '{_LETTERS}')"
"""SQL: the search text without the letters at the beginning of the order's number."""
_SHORT_NUMBER = re.compile(r"[a-z]?[0-9]{1,2}")

# OFFSET 0 prevents the planner from scanning by date here, too.
_FOUND = """WITH newest AS MATERIALIZED (
        SELECT o.id, o.created_at, o.search FROM orders o {walked}
        ORDER BY o.created_at DESC, o.id DESC LIMIT {walk}),
    hits AS MATERIALIZED (
        SELECT hit.id FROM (
            (SELECT n.id FROM newest n WHERE {newest_match} LIMIT :limit)
            UNION ALL
            (SELECT o.id FROM (SELECT n.created_at, n.id FROM newest n OFFSET {last} LIMIT 1) AS oldest
                CROSS JOIN LATERAL (
                    SELECT o.id, o.created_at FROM orders o
                    WHERE order_search_keys(o.search) @> CAST(:keys AS text[]) AND {older_match}
                    OFFSET 0) AS o
                WHERE (o.created_at, o.id) < (oldest.created_at, oldest.id)
                ORDER BY o.created_at DESC, o.id DESC LIMIT :limit)
        ) AS hit LIMIT :limit)
    SELECT o.* FROM hits JOIN orders o ON o.id = hits.id"""


def normalised(words: str) -> str:
    """Lower case without accents, for search: ``Nováková`` is ``novakova``."""
    decomposed = unicodedata.normalize("NFKD", words.casefold())
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


def search_text(order_number: str, customer_name: str | None, customer_email: str | None) -> str:
    """Value of the column ``orders.search``: the searchable words, separated by single spaces."""
    return " ".join(_words(" ".join(part for part in (order_number, customer_name, customer_email) if part)))


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", normalised(text))


@dataclass(frozen=True, slots=True)
class Search:
    """The words of one search; all of them must match."""

    words: tuple[str, ...]

    @classmethod
    def of(cls, q: str) -> "Search":
        """Parse a query as typed."""
        return cls(tuple(dict.fromkeys(_words(q))))

    def page(self, before: str | None, status: str | None) -> tuple[str, dict[str, object]]:
        """SQL and parameters for the newest ``:limit`` orders that match all words.

        ``before`` and ``status`` are SQL conditions on an order ``o``.
        """
        values: dict[str, object] = {f"word_{place}": word for place, word in enumerate(self.words)}
        values["keys"] = [_key(word) for word in self.words]
        matches = [_match(word, f"word_{place}") for place, word in enumerate(self.words)]
        walked = [condition for condition in (before, status) if condition]
        number = next((word for word in self.words if _SHORT_NUMBER.fullmatch(word)), None)
        if number is not None:
            # Numbers increase with time: all matches of a digit may be old.
            walked.append(f"left({NUMBER_DIGITS.replace('search', 'o.search')}, 1) = CAST(:digit AS text)")
            values["digit"] = number.lstrip(_LETTERS)[0]
        letters_only = number is None and all(len(word) == 1 for word in self.words)
        walk = WALKED_FOR_A_LETTER if letters_only else WALKED
        query = _FOUND.format(
            walked="WHERE " + " AND ".join(walked) if walked else "",
            walk=walk,
            last=walk - 1,
            newest_match=" AND ".join(matches).replace("{t}", "n"),
            older_match=" AND ".join([*matches, *([status] if status else [])]).replace("{t}", "o"),
        )
        return query, values


def _match(word: str, name: str) -> str:
    """SQL condition: a word of ``{t}.search`` begins with this one; a number also without its letters.

    One or two characters with a digit match only the number.
    """
    begins = f"CAST(:{name} AS text) || '%'"
    digits = NUMBER_DIGITS.replace("search", "{t}.search")
    if _SHORT_NUMBER.fullmatch(word):
        return f"({{t}}.search LIKE {begins} OR {digits} LIKE {begins})"
    anywhere = f"' ' || {{t}}.search LIKE '% ' || {begins}"
    return f"({anywhere} OR {digits} LIKE {begins})" if word[0].isdecimal() else anywhere


def _key(word: str) -> str:
    return word[: max(length for length in KEY_LENGTHS if length <= len(word))]
