"""The language of watches and of breakpoints' conditions: a small part of Python's expressions, read by ``ast`` and never run as Python.

``parse`` gives an ``Expression``; that says which names it needs and gives its value over them. Neither ends in another error than
``ExpressionRefused``, takes longer than ``TIMEOUT_S`` by much, or makes more than a bounded amount of text. docs/watches.md tells the whole
language.
"""

from agents_core.record.expressions.errors import ExpressionRefused
from agents_core.record.expressions.evaluation import TIMEOUT_S
from agents_core.record.expressions.names import FIELDS, NAMES
from agents_core.record.expressions.parsing import LONGEST, Expression, parse

__all__ = ["FIELDS", "LONGEST", "NAMES", "TIMEOUT_S", "Expression", "ExpressionRefused", "parse"]
