"""Finds every regular expression in the source of the members, and generates inputs that slow it down."""

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from re import _compiler, _constants, _parser  # type: ignore[attr-defined] - the parse tree of a pattern
from typing import Any

ROOT = Path(__file__).parents[2]
FUNCTIONS = frozenset({"match", "search", "sub", "subn", "fullmatch", "split", "findall", "finditer"})
_ALPHABET = [chr(code) for code in (97, 49, 32, *range(33, 127), 9, 10, 0xE9)]
_REPEATS = {"MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"}
_LARGE = 200
_ENDS = ("", "\0")
_MENTIONS_RE = re.compile(r"\bre\.")  # parsing all other modules would take most of the time


@dataclass(frozen=True)
class FoundPattern:
    """One pattern and the functions that apply it; ``pattern`` is ``None`` if it is computed."""

    where: str
    pattern: str | bytes | None
    flags: int
    functions: frozenset[str]


def patterns() -> Iterator[FoundPattern]:
    """The patterns of all members; fakes and test helpers handle no untrusted input."""
    for folder in sorted([*ROOT.glob("services/*/src"), ROOT / "libs/common/src", ROOT / "deploy/local/src"]):
        for path in sorted(folder.rglob("*.py")):
            if "testing" not in path.parts:
                yield from in_source(path.read_text("utf-8"), str(path.relative_to(ROOT)))


def in_source(source: str, name: str) -> Iterator[FoundPattern]:
    """The patterns of one module."""
    if not _MENTIONS_RE.search(source):
        return
    tree = ast.parse(source)
    uses: dict[str, set[str]] = {}
    names: dict[int, str] = {}
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in FUNCTIONS
        ):
            uses.setdefault(ast.unparse(node.func.value), set()).add(node.func.attr)
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            names[id(node.value)] = node.targets[0].id
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and ast.unparse(node.func).startswith("re.")):
            continue
        function = ast.unparse(node.func).removeprefix("re.")
        if function == "compile":
            functions = uses.get(names.get(id(node), ""), {"search"})
        elif function in FUNCTIONS:
            functions = {function}
        else:
            continue
        pattern = node.args[0].value if isinstance(node.args[0], ast.Constant) else None
        flags = sum(getattr(re, flag.attr) for flag in ast.walk(node) if _is_flag(flag))
        yield FoundPattern(f"{name}:{node.lineno}", pattern, flags, frozenset(functions))


def _is_flag(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and node.attr in {"ASCII", "IGNORECASE", "DOTALL", "MULTILINE"}


@dataclass(frozen=True)
class Attack:
    """An input of any length: ``head``, then ``unit`` repeated, then ``end``."""

    head: str
    unit: str
    end: str

    def text(self, size: int) -> str:
        """An input of about ``size`` characters."""
        return self.head + self.unit * (size // len(self.unit)) + self.end


def attacks(pattern: str | bytes, flags: int) -> list[Attack]:
    """Inputs that repeat what the pattern repeats, with and without its prefix."""
    tree = _parser.parse(pattern, flags)
    found = set()
    for head, unit in _repeats(list(tree), "", tree.state):
        for end in _ENDS:
            found |= {Attack(head, unit, end), Attack("", unit, end), Attack("", head + unit, end)}
            found |= {Attack("", f"{head}{unit * 20}", end)}
    return sorted((one for one in found if one.unit), key=str)


def _repeats(nodes: Sequence[Any], head: str, state: Any) -> Iterator[tuple[str, str]]:
    for node in nodes:
        kind, argument = str(node[0]), node[1]
        if kind in _REPEATS:
            _, most, inner = argument
            if most is _constants.MAXREPEAT or most > _LARGE:
                yield from ((head, unit) for unit in _examples(list(inner), state))
        for inner in _parts(kind, argument):
            yield from _repeats(list(inner), head, state)
        head += _examples([node], state)[0]


def _parts(kind: str, argument: Any) -> list[Any]:
    if kind in _REPEATS:
        return [argument[2]]
    if kind == "SUBPATTERN":
        return [argument[3]]
    if kind == "BRANCH":
        return list(argument[1])
    return [argument] if kind == "ATOMIC_GROUP" else []


def _examples(nodes: Sequence[Any], state: Any) -> list[str]:
    """Up to three texts that match the nodes, with the minimum of each repetition, but at least one."""
    texts = [""]
    for node in nodes:
        kind, argument = str(node[0]), node[1]
        if kind in {"AT", "ASSERT", "ASSERT_NOT", "GROUPREF"}:
            continue
        parts = _parts(kind, argument)
        if not parts:
            more = _characters(node, state)
        else:
            more = [text for part in parts for text in _examples(list(part), state)]
        times = max(1, argument[0]) if kind in _REPEATS else 1
        texts = [text + one * times for text in texts for one in more[:3]][:3]
    return texts


def _characters(node: Any, state: Any) -> list[str]:
    one = _compiler.compile(_parser.SubPattern(state, [node]))
    is_bytes = isinstance(state.str, bytes)
    alphabet = [*_ALPHABET, *(chr(code) for code in range(0xE0, 0x100))]
    found = [char for char in alphabet if one.fullmatch(char.encode("latin-1") if is_bytes else char)]
    return found[:3] or ["\0"]
