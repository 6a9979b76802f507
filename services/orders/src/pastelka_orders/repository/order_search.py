"""Finding orders by the beginnings of words of number, customer and e-mail, newest first.

No single index answers every search in time. Walking the orders by date is quick where a word is
common and reads the whole table where it is rare; an index of words is quick where it is rare, and has
to sort all that it finds where it is common. So the newest orders (``WALKED``) are walked first, and only
if they do not fill the page are the older ones looked up in the index of words. What either may read is
then bounded, whichever the planner's statistics say. The index by status and date includes the
words, so that this walk reads no rows: those of a rare status are each in a page of their own.
"""

import re
import unicodedata
from dataclasses import dataclass

WALKED = 6000
"""Orders that are walked by date before the index of words is read."""
WALKED_FOR_A_LETTER = 12_000
"""The same where each word is one letter: the index has a large part of all orders for it."""
KEY_LENGTHS = (1, 2, 3, 4, 6, 8, 12)
"""Characters of a word's beginnings that the index has: those of ``order_search_keys`` (revision 029)."""

_LETTERS = "abcdefghijklmnopqrstuvwxyz"
NUMBER_DIGITS = f"ltrim(search, '{_LETTERS}')"
"""The order's number without the letters that it begins with, and what comes after it."""
_SHORT_NUMBER = re.compile(r"[a-z]?[0-9]{1,2}")

# OFFSET 0 keeps the planner from walking by date in there, too.
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
    """Lower case without accents, as orders are searched by: ``Nováková`` is ``novakova``."""
    decomposed = unicodedata.normalize("NFKD", words.casefold())
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


def search_text(order_number: str, customer_name: str | None, customer_email: str | None) -> str:
    """The column ``orders.search``: the words an order is found by, one space between two of them."""
    return " ".join(_words(" ".join(part for part in (order_number, customer_name, customer_email) if part)))


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", normalised(text))


@dataclass(frozen=True, slots=True)
class Search:
    """The words of one search; all of them have to be found."""

    words: tuple[str, ...]

    @classmethod
    def of(cls, q: str) -> "Search":
        """What a person has typed."""
        return cls(tuple(dict.fromkeys(_words(q))))

    def page(self, before: str | None, status: str | None) -> tuple[str, dict[str, object]]:
        """SQL and values of the newest ``:limit`` orders that have all words.

        ``before`` and ``status`` are conditions of an order ``o``.
        """
        values: dict[str, object] = {f"word_{place}": word for place, word in enumerate(self.words)}
        values["keys"] = [_key(word) for word in self.words]
        matches = [_match(word, f"word_{place}") for place, word in enumerate(self.words)]
        walked = [condition for condition in (before, status) if condition]
        number = next((word for word in self.words if _SHORT_NUMBER.fullmatch(word)), None)
        if number is not None:
            # Numbers count up with time: those that begin with a digit may all be old.
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
    """Whether a word of ``{t}.search`` begins with this one; a number also after its letters.

    One or two characters with a digit are looked for in the number only.
    """
    begins = f"CAST(:{name} AS text) || '%'"
    digits = NUMBER_DIGITS.replace("search", "{t}.search")
    if _SHORT_NUMBER.fullmatch(word):
        return f"({{t}}.search LIKE {begins} OR {digits} LIKE {begins})"
    anywhere = f"' ' || {{t}}.search LIKE '% ' || {begins}"
    return f"({anywhere} OR {digits} LIKE {begins})" if word[0].isdecimal() else anywhere


def _key(word: str) -> str:
    return word[: max(length for length in KEY_LENGTHS if length <= len(word))]
