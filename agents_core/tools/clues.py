"""What a tool's source tells of the calls that may break it."""

import ast
from collections.abc import Iterable
from dataclasses import dataclass

from agents_core.tools.languages import Language
from agents_core.tools.typescript.reading import read


@dataclass(frozen=True, slots=True)
class Clues:
    """``raising`` are the lines on which it raises errors on purpose, ``literals`` the texts and numbers in it."""

    raising: frozenset[int] = frozenset()
    literals: frozenset[str | int | float] = frozenset()


def clues(source: str, written_in: Language = Language.PYTHON) -> Clues:
    """None of a source that cannot be read."""
    if written_in is Language.TYPESCRIPT:
        reading = read(source)
        return Clues(reading.throws, reading.literals)
    nodes = _nodes(source)
    raises = [node for node in nodes if isinstance(node, ast.Raise)]
    raising = frozenset(line for node in raises for line in range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return Clues(raising, frozenset(plain(node.value for node in nodes if isinstance(node, ast.Constant))))


def plain(values: Iterable[object]) -> set[str | int | float]:
    """The texts and numbers among ``values``."""
    return {value for value in values if isinstance(value, str | int | float) and not isinstance(value, bool)}


def _nodes(source: str) -> list[ast.AST]:
    """The syntax tree; empty where there is none."""
    try:
        return list(ast.walk(ast.parse(source)))
    except (SyntaxError, ValueError, RecursionError):
        return []
