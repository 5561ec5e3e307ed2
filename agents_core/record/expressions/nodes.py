"""The nodes of the language: what each kind of Python's syntax tree means, and the refusal of every other kind."""

import ast
import operator
from collections.abc import Callable
from typing import Any, ClassVar

from agents_core.record.expressions import operators
from agents_core.record.expressions.errors import ExpressionRefused, Impossible
from agents_core.record.expressions.evaluation import Evaluation
from agents_core.record.expressions.functions import FUNCTIONS, compiled_pattern
from agents_core.record.expressions.names import FIELDS, NAMES, check_field, check_name

Node = Callable[[Evaluation], Any]

_DEEPEST = 40

_NOT_ALLOWED = (
    "This is not part of the language: an expression has names, texts, numbers, lists, comparisons, and / or / not, + - * / // %, "
    "… if … else …, […], calls of functions and [… for … in …]."
)

_CALCULATIONS: dict[type[ast.operator], Callable[[Evaluation, Any, Any], Any]] = {
    ast.Add: operators.add,
    ast.Sub: operators.arithmetic("-", operator.sub),
    ast.Mult: operators.arithmetic("*", operator.mul),
    ast.Div: operators.arithmetic("/", operator.truediv),
    ast.FloorDiv: operators.arithmetic("//", operator.floordiv),
    ast.Mod: operators.arithmetic("%", operator.mod),
}

_COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operators.equal,
    ast.NotEq: operators.unequal,
    ast.Lt: operators.ordered("<", operator.lt),
    ast.LtE: operators.ordered("<=", operator.le),
    ast.Gt: operators.ordered(">", operator.gt),
    ast.GtE: operators.ordered(">=", operator.ge),
    ast.In: operators.contained,
    ast.NotIn: operators.not_contained,
}

_SIGNS: dict[type[ast.unaryop], Callable[[Any], Any]] = {
    ast.Not: operator.not_,
    ast.USub: operators.negative,
    ast.UAdd: operators.positive,
}


class Reader:
    """Turns a syntax tree into a ``Node``, and notes the names that it needs. ``before``: the characters before ``source`` in what was
    typed."""

    def __init__(self, source: str, before: int) -> None:
        self.names: set[str] = set()
        self._bytes = source.encode()
        self._before = before
        self._variables: list[str] = []
        self._depth = 0

    def node(self, tree: ast.expr) -> Node:
        """Raises ``ExpressionRefused``."""
        self._depth += 1
        if self._depth > _DEEPEST:
            raise self.refusal("This is nested too deeply.", tree)
        try:
            found = self._read(tree)
        except Impossible as error:
            raise self.refusal(str(error), tree) from None
        self._depth -= 1
        return found

    def _read(self, tree: ast.expr) -> Node:
        read = self._KINDS.get(type(tree))
        if read is None:
            raise Impossible(_NOT_ALLOWED)
        return read(self, tree)

    def refusal(self, sentence: str, tree: ast.expr) -> ExpressionRefused:
        at = tree.col_offset
        if isinstance(tree, ast.Attribute):
            at = (tree.end_col_offset or at) - len(tree.attr.encode())
        return ExpressionRefused(sentence, self._before + len(self._bytes[:at].decode(errors="ignore")) + 1)

    def _located(self, tree: ast.expr, calculate: Node) -> Node:
        """``calculate``, with the column in what it refuses."""

        def located(evaluation: Evaluation) -> Any:
            try:
                return calculate(evaluation)
            except Impossible as error:
                raise self.refusal(str(error), tree) from None
            except ZeroDivisionError:
                raise self.refusal("This divides by zero.", tree) from None
            except (OverflowError, ValueError):  # A number of the record may have any size.
                raise self.refusal("The number is too large.", tree) from None
            except RecursionError:
                raise self.refusal("The value is nested too deeply.", tree) from None

        return located

    # --- values ---------------------------------------------------------------------------------------------------

    def _constant(self, tree: ast.Constant) -> Node:
        value = tree.value
        if isinstance(value, str):
            _check_text(value)
        elif isinstance(value, int | float):
            operators.in_range(value)
        elif value is not None:
            raise Impossible(_NOT_ALLOWED)
        return lambda _: value

    def _list(self, tree: ast.List | ast.Tuple | ast.Set) -> Node:
        nodes = [self.node(element) for element in tree.elts]
        return lambda evaluation: [node(evaluation) for node in nodes]

    def _name(self, tree: ast.Name) -> Node:
        name = tree.id
        if name in self._variables:
            return lambda evaluation: evaluation.variables.get(name)
        if name in FUNCTIONS:
            raise Impossible(f"`{name}` is a function: write {FUNCTIONS[name].form}.")
        check_name(name)
        self.names.add(name)
        return lambda evaluation: evaluation.scope.get(name)

    def _attribute(self, tree: ast.Attribute) -> Node:
        return self._field(tree.value, tree.attr, tree)

    def _subscript(self, tree: ast.Subscript) -> Node:
        if isinstance(tree.slice, ast.Slice):
            return self._slice(tree, tree.slice)
        if isinstance(tree.slice, ast.Constant) and isinstance(tree.slice.value, str):
            return self._field(tree.value, tree.slice.value, tree)
        value, index = self.node(tree.value), self.node(tree.slice)
        return self._located(tree, lambda evaluation: operators.item(value(evaluation), index(evaluation)))

    def _field(self, owner: ast.expr, name: str, tree: ast.expr) -> Node:
        """``block.human`` needs that block only, and ``tokens.total`` that number."""
        if isinstance(owner, ast.Name) and owner.id in ("block", *FIELDS) and owner.id not in self._variables:
            check_field(owner.id, name)
            self.names.add(f"{owner.id}.{name}")
            root = owner.id
            return self._located(tree, lambda evaluation: operators.field(evaluation.scope.get(root), name))
        value = self.node(owner)
        return self._located(tree, lambda evaluation: operators.field(value(evaluation), name))

    def _slice(self, tree: ast.Subscript, ends: ast.Slice) -> Node:
        if ends.step is not None:
            raise Impossible("`[…:…:…]` is not part of the language, `[…:…]` is.")
        value = self.node(tree.value)
        start, stop = (_nothing if end is None else self.node(end) for end in (ends.lower, ends.upper))
        return self._located(
            tree,
            lambda evaluation: operators.part_of(evaluation, value(evaluation), start(evaluation), stop(evaluation)),
        )

    # --- operators ------------------------------------------------------------------------------------------------

    def _calculation(self, tree: ast.BinOp) -> Node:
        calculate = _CALCULATIONS.get(type(tree.op))
        if calculate is None:
            raise Impossible("The operators are + - * / // %.")
        left, right = self.node(tree.left), self.node(tree.right)
        return self._located(tree, lambda evaluation: calculate(evaluation, left(evaluation), right(evaluation)))

    def _sign(self, tree: ast.UnaryOp) -> Node:
        sign = _SIGNS.get(type(tree.op))
        if sign is None:
            raise Impossible("`~` is not part of the language: write not.")
        value = self.node(tree.operand)
        return self._located(tree, lambda evaluation: sign(value(evaluation)))

    def _and_or(self, tree: ast.BoolOp) -> Node:
        nodes = [self.node(value) for value in tree.values]
        ends_with = isinstance(tree.op, ast.Or)

        def decided(evaluation: Evaluation) -> Any:
            value = None
            for node in nodes:
                value = node(evaluation)
                if bool(value) is ends_with:
                    break
            return value

        return decided

    def _if(self, tree: ast.IfExp) -> Node:
        test, body, otherwise = self.node(tree.test), self.node(tree.body), self.node(tree.orelse)
        return lambda evaluation: body(evaluation) if test(evaluation) else otherwise(evaluation)

    def _comparison(self, tree: ast.Compare) -> Node:
        first = self.node(tree.left)
        places = [tree.left, *tree.comparators]
        rest = [
            (_comparison_of(op, left, right), self.node(right))
            for op, left, right in zip(tree.ops, places, tree.comparators, strict=False)
        ]

        def compared(evaluation: Evaluation) -> bool:
            left = first(evaluation)
            for compare, node in rest:
                right = node(evaluation)
                if not compare(left, right):
                    return False
                left = right
            return True

        return self._located(tree, compared)

    # --- calls and comprehensions ---------------------------------------------------------------------------------

    def _call(self, tree: ast.Call) -> Node:
        if not isinstance(tree.func, ast.Name):
            raise Impossible(f"Functions are called by name, such as lower(…): known are {', '.join(FUNCTIONS)}.")
        name = tree.func.id
        function = FUNCTIONS.get(name)
        if function is None:
            raise Impossible(f"Unknown function `{name}`: known are {', '.join(FUNCTIONS)}.")
        if tree.keywords or not function.least <= len(tree.args) <= function.most:
            raise Impossible(f"Write {function.form}.")
        if name == "matches":
            self._check_pattern(tree.args[1])
        nodes = [self.node(argument) for argument in tree.args]

        def called(evaluation: Evaluation) -> Any:
            evaluation.left_s()
            arguments = [node(evaluation) for node in nodes]
            return None if any(argument is None for argument in arguments) else function.call(evaluation, *arguments)

        return self._located(tree, called)

    def _check_pattern(self, tree: ast.expr) -> None:
        if isinstance(tree, ast.Constant) and isinstance(tree.value, str):
            try:
                compiled_pattern(tree.value)
            except Impossible as error:
                raise self.refusal(str(error), tree) from None

    def _comprehension(self, tree: ast.GeneratorExp | ast.ListComp | ast.SetComp) -> Node:
        if len(tree.generators) != 1 or tree.generators[0].is_async:
            raise Impossible("A comprehension has one `for`.")
        part = tree.generators[0]
        if not isinstance(part.target, ast.Name):
            raise Impossible("A comprehension names one variable: for m in messages.")
        variable = part.target.id
        if variable in NAMES or variable in FUNCTIONS or variable in self._variables:
            raise Impossible(f"`{variable}` is taken: call the variable something else.")
        values = self.node(part.iter)
        self._variables.append(variable)
        element, tests = self.node(tree.elt), [self.node(test) for test in part.ifs]
        self._variables.pop()
        return self._located(tree, lambda evaluation: _each(evaluation, variable, values, element, tests))

    _KINDS: ClassVar[dict[type[ast.expr], Callable[[Any, Any], Node]]] = {
        ast.Constant: _constant,
        ast.List: _list,
        ast.Name: _name,
        ast.Attribute: _attribute,
        ast.Subscript: _subscript,
        ast.BinOp: _calculation,
        ast.UnaryOp: _sign,
        ast.BoolOp: _and_or,
        ast.IfExp: _if,
        ast.Compare: _comparison,
        ast.Call: _call,
        ast.GeneratorExp: _comprehension,
        ast.Tuple: _list,
        ast.Set: _list,
        ast.ListComp: _comprehension,
        ast.SetComp: _comprehension,
    }


def _nothing(evaluation: Evaluation) -> None:
    return None


def _check_text(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise Impossible("This text holds half of a character.") from None


def _comparison_of(op: ast.cmpop, left: ast.expr, right: ast.expr) -> Callable[[Any, Any], bool]:
    """With the word None beside it, ``==`` asks whether something is there at all, as ``is`` does."""
    with_none = any(isinstance(side, ast.Constant) and side.value is None for side in (left, right))
    if with_none and isinstance(op, ast.Eq | ast.Is):
        return operator.is_
    if with_none and isinstance(op, ast.NotEq | ast.IsNot):
        return operator.is_not
    if type(op) not in _COMPARISONS:
        raise Impossible("`is` asks for None only: write == or !=.")
    return _COMPARISONS[type(op)]


def _each(evaluation: Evaluation, variable: str, values: Node, element: Node, tests: list[Node]) -> list[Any] | None:
    over = values(evaluation)
    if over is None:
        return None
    if not isinstance(over, list):
        raise Impossible(f"`for` goes through a list, not {operators.kind_of(over)}: words(…) and lines(…) make one.")
    made = []
    for value in over:
        evaluation.left_s()
        evaluation.variables[variable] = value
        if all(test(evaluation) for test in tests):
            made.append(element(evaluation))
    return made
