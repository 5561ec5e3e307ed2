"""From the text of an expression to what gives its value: each node that the language knows becomes a function of an ``Evaluation``.

Nothing of Python's is called by a name from the text, and no attribute of a Python object is read: ``x.y`` looks up a key.
"""

import ast
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from agents_core.record.expressions.errors import ExpressionRefused, Impossible
from agents_core.record.expressions.evaluation import TIMEOUT_S, Evaluation
from agents_core.record.expressions.nodes import Node, Reader
from agents_core.record.expressions.operators import in_range

LONGEST = 1_000
"""Characters of an expression."""

_SOURCE = "<expression>"
_LINE_ENDS = re.compile(r"[\r\n\t\f\v]")

# Python warns of "\d" in a text that is not marked r"…"; here that is as good.
warnings.filterwarnings("ignore", module=_SOURCE)


@dataclass(frozen=True, slots=True)
class Expression:
    """``names``: those that its value depends on, such as ``context``, ``block.human``, ``tokens.total``; ``block``, ``tokens`` or
    ``step`` alone where it may need any of what they hold."""

    text: str
    names: frozenset[str]
    _node: Node = field(repr=False, compare=False)

    def value(self, scope: Mapping[str, Any], timeout_s: float = TIMEOUT_S) -> Any:
        """Its value where the names mean what ``scope`` has for them: None, a bool, number, text, list or mapping of those. What is missing
        there is None.

        Raises ``ExpressionRefused`` where it has none, or takes longer than ``timeout_s``.
        """
        value = self._node(Evaluation(scope, timeout_s))
        try:
            return in_range(value) if isinstance(value, int | float) else value
        except Impossible as error:
            raise ExpressionRefused(str(error), 1) from None


def parse(text: str) -> Expression:
    """Raises ``ExpressionRefused``."""
    if len(text) > LONGEST:
        raise ExpressionRefused(
            f"An expression has at most {LONGEST:,} characters, and this has {len(text):,}.", LONGEST + 1
        )
    source = _LINE_ENDS.sub(" ", text).strip()
    if not source:
        raise ExpressionRefused("Write an expression, such as len(block.human).", 1)
    before = len(text) - len(text.lstrip())
    tree = _tree(source, before)
    reader = Reader(source, before)
    node = reader.node(tree)
    return Expression(source, frozenset(reader.names), node)


def _tree(source: str, before: int) -> ast.expr:
    try:
        return ast.parse(source, _SOURCE, "eval").body
    except SyntaxError as error:
        column = min(max(error.offset or 1, 1), len(source) + 1)
        why = "write == to compare" if source[column - 1 : column] == "=" else error.msg.partition(" (")[0]
        raise ExpressionRefused(f"This cannot be read: {why}.", before + column) from None
    except (RecursionError, MemoryError):
        raise ExpressionRefused("This is nested too deeply.", before + 1) from None
    except (UnicodeError, ValueError):
        raise ExpressionRefused("This holds a character that no expression has.", before + 1) from None
