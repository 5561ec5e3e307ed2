"""The language of watches and conditions: what it says, what it refuses and where, and that nothing makes it hang or grow."""

import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents_core.record.expressions import FIELDS, LONGEST, NAMES, ExpressionRefused, parse
from agents_core.record.expressions.functions import FUNCTIONS

SCOPE: dict[str, Any] = {
    "block": {"human": "Name: Inês. Lives in Berlin.", "my notes": "a\nb", "empty": ""},
    "context": "You are kind. Berlin, berlin. 2026-03-01",
    "system": "You are kind.",
    "messages": [{"role": "user", "text": "Hi"}, {"role": "assistant", "text": "Berlin it is"}],
    "tokens": {"total": 900, "core": 40, "limit": 1000, "share": 0.9, "reported": None},
    "cost": 0.25,
    "step": {"number": 7, "model": "offline/memory", "kind": "agent", "status": "success", "ms": 12.5},
    "tools": ["search", "send", "search"],
    "tool": "search",
    "arguments": {"query": "flights", "limits": {"price": 600}, "in": ["LIS", "BOS"]},
    "result": None,
    "answer": "In Berlin.",
    "error": None,
}


def _value(text: str) -> Any:
    return parse(text).value(SCOPE)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("len(block.human)", 28),
        ('"Berlin" in block.human', True),
        ('"Berlin" not in block["my notes"]', True),
        ('block["my notes"][-1]', "b"),
        ("lines(block['my notes'])", ["a", "b"]),
        ("tokens.total / tokens.limit > 0.5 and not error", True),
        ("0 < step.number <= 7 < 8", True),
        ("1 < 3 < 2", False),
        ("-(2 + 3) * 4 // 3 % 5", -20 // 3 % 5),
        ('"yes" if tokens.share >= .9 else "no"', "yes"),
        ('tool in ("search", "grep")', True),
        ('tool in {"send"}', False),
        ("arguments.limits.price", 600),
        ('arguments["in"][1]', "BOS"),
        ('"query" in arguments', True),
        ('count(lower(context), "berlin")', 2),
        ('count(tools, "search")', 2),
        (r'matches(context, r"\d{4}-\d\d")', True),
        (r'matches(context, "\bberlin\b")'.replace(r"\b", r"\\b"), True),
        ('any(m.role == "user" and "Berlin" in m.text for m in messages)', False),
        ("[m.role for m in messages if len(m.text) > 2]", ["assistant"]),
        ("sum(len(m.text) for m in messages)", 14),
        ("max(len(m.text) for m in messages)", 12),
        ("max(3, 7, 5) - min([3, 7])", 4),
        ("len(words(answer))", 2),
        ("context[:3] + upper(tool)[4:]", "YouCH"),
        ("round(cost * 3, 1)", 0.8),
        ('int("42") + float("0.5")', 42.5),
        ('"600" in str(arguments)', True),
        ("all(t != 'x' for t in tools)", True),
        ('"human" in block', True),
        ("len(block)", 3),
        ("abs(-3)", 3),
        (" \n 1 +\n 1 ", 2),
    ],
)
def test_an_expression_has_pythons_value(text: str, value: Any) -> None:
    assert _value(text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("block.nobody", None),
        ("len(block.nobody)", None),
        ("len(block.nobody) > 3", False),
        ("len(block.nobody) <= 3", False),
        ('"a" in block.nobody', False),
        ('"a" not in block.nobody', False),
        ('block.nobody != "a"', False),
        ("block.nobody == None", True),
        ("block.human is not None", True),
        ("block.nobody is None", True),
        ('block.nobody or "nothing"', "nothing"),
        ("tokens.reported + 1", None),
        ("-tokens.reported", None),
        ("arguments.nothing.at.all", None),
        ("messages[9].text", None),
        ("block.empty[0]", None),
        ("result[:10]", None),
        ("[m for m in result]", None),
        ("any(m for m in result)", None),
        ("min([])", None),
        ("sum([1, None, 2])", 3),
    ],
)
def test_what_is_missing_is_nothing_and_compares_to_nothing(text: str, value: Any) -> None:
    assert _value(text) is value or _value(text) == value


@pytest.mark.parametrize(
    ("text", "column", "told"),
    [
        ("len(blok.human)", 5, "Unknown name `blok`: did you mean `block`? Known are block, context, system"),
        ("1 + tokens.totl", 12, "`tokens` has no `totl`: did you mean `total`?"),
        ('  "ä" in contxt', 10, "Unknown name `contxt`"),
        ("len(", 4, "'(' was never closed"),
        ("", 1, "Write an expression"),
        ("   ", 1, "Write an expression"),
        ("step = 3", 6, "write == to compare"),
        ("1 +\n * 2", 6, "invalid syntax"),
        ("block.human.lower()", 1, "Functions are called by name"),
        ("open('x')", 1, "Unknown function `open`: known are len, lower"),
        ("2 ** 9", 1, "The operators are + - * / // %."),
        ("lambda: 1", 1, "not part of the language"),
        ('f"{cost}"', 1, "not part of the language"),
        ("1 or (x := 2)", 7, "not part of the language"),
        ("[*tools]", 2, "not part of the language"),
        ("b'a'", 1, "not part of the language"),
        ("1j", 1, "not part of the language"),
        ("...", 1, "not part of the language"),
        ("tools[::2]", 1, "`[…:…]` is"),
        ("len", 1, "`len` is a function: write len("),
        ("len(context, 1)", 1, "Write len("),
        ("round(1, digits=2)", 1, "Write round("),
        ('matches(context, "(")', 18, "This is no pattern"),
        ('matches(context, "\\bx")', 18, "control character"),
        ('matches(context, "(?:a{1000}){1000}")', 18, "repeats too much"),
        ('"a" is "a"', 1, "`is` asks for None only"),
        ("[a + b for a, b in messages]", 1, "one variable"),
        ("[a for a in tools for b in tools]", 1, "one `for`"),
        ("[tool for tool in tools]", 1, "`tool` is taken"),
        ("m.text", 1, "Unknown name `m`"),
        ("1e999", 1, "too large"),
        ('"\\ud800"', 1, "half of a character"),
        ("(" * 300 + ")" * 300, 201, "nested"),
        ("-" * 900 + "1", 41, "nested"),
        ("1+" * 400 + "1", 1, "nested"),
        ("a" * (LONGEST + 1), LONGEST + 1, "at most 1,000 characters"),
        ("1 \0", 1, "null bytes"),
        ('"\ud800"', 1, "character that no expression has"),
    ],
)
def test_what_is_not_of_the_language_is_refused_at_its_column(text: str, column: int, told: str) -> None:
    with pytest.raises(ExpressionRefused) as refused:
        parse(text)
    assert told in refused.value.sentence
    assert refused.value.message == f"Column {column}: {refused.value.sentence}"
    assert refused.value.data == {"column": column}


@pytest.mark.parametrize(
    ("text", "column", "told"),
    [
        ('tool < 3 or "a" > 1', 1, "`<` compares two numbers or two texts, not a text and a number."),
        ("cost and 1 in context", 10, "A text contains texts, not a number"),
        ("1 / (cost - .25)", 1, "divides by zero"),
        ("step.number.x", 13, "A number has no `.x`"),
        ("tool + 1", 1, "`+` takes two numbers, not a text and a number."),
        ('"a" * 9', 1, "`*` takes two numbers"),
        ("tools['x']", 1, "A list has no `.x`"),
        ("tools[tool]", 1, "whole number"),
        ("len(3)", 1, "takes a text, a list or an object"),
        ("int(answer)", 1, "no whole number"),
        ('float("nan")', 1, "too large"),
        ("1e200 * 1e200", 1, "too large"),
        ("[x for x in context]", 1, "goes through a list, not a text"),
        ('matches(context, tool + "(")', 1, "no pattern"),
        ('count(context, "")', 1, "at least one character"),
        ("max(1, tool)", 1, "numbers, or texts, and not both"),
    ],
)
def test_what_has_no_value_is_refused_at_its_column(text: str, column: int, told: str) -> None:
    with pytest.raises(ExpressionRefused) as refused:
        _value(text)
    assert told in refused.value.sentence
    assert refused.value.column == column


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("len(block.human) + len(block['my notes'])", {"block.human", "block.my notes"}),
        ("any(b == tool for b in tools)", {"tools", "tool"}),
        ("block", {"block"}),
        ("block[tool]", {"block", "tool"}),
        ("tokens.total > step.number", {"tokens.total", "step.number"}),
        ("arguments.query", {"arguments"}),
        ("1 + 1", set()),
    ],
)
def test_an_expression_names_what_it_needs(text: str, names: set[str]) -> None:
    assert parse(text).names == names


def test_a_scope_is_asked_for_the_named_only() -> None:
    class Only(dict[str, Any]):
        def get(self, key: str, default: Any = None) -> Any:
            assert key == "tool", f"{key} was loaded"
            return "search"

    assert parse('tool == "search" or context == ""').value(Only()) is True


# --- bounds -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        'matches(context, r"(a+)+$")',
        'matches(context, r"(a|aa)+$")',
        "len([any(count(context, m) > 0 for m in messages) for n in messages])",
        "[[[c for c in messages] for b in messages] for a in messages]",
        "[context + m for m in messages]",
        "[words(context) for m in messages]",
        "[[lower(context) for a in messages] for b in messages]",
        "sum(len(str(messages)) for m in messages)",
    ],
)
def test_what_would_go_on_for_ever_is_ended(text: str) -> None:
    scope = {"context": "a" * 1_000_000 + "!", "messages": ["z" * 10] * 5_000}
    started = time.process_time()
    with pytest.raises(ExpressionRefused, match=r"takes too long|more than 16,000,000"):
        parse(text).value(scope, timeout_s=0.2)
    assert time.process_time() - started < 5


_NAMES = [
    *NAMES,
    *(f"{name}.{field}" for name, fields in FIELDS.items() for field in fields),
    "block.human",
    "m",
    "m.text",
]
_leaves = st.one_of(
    st.sampled_from(_NAMES),
    st.integers(-(10**20), 10**20).map(str),
    st.floats().map(repr),
    st.text(max_size=5).map(repr),
    st.sampled_from(["None", "True", 'r"(a+)+$"', "[]", '"10" ', "1e299", "block['x']"]),
)


def _joined(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    operators = st.sampled_from(
        ["+", "-", "*", "/", "//", "%", "<", ">=", "==", "!=", "in", "not in", "and", "or", "is", "is not", "**"]
    )
    return st.one_of(
        st.tuples(inner, operators, inner).map(" ".join).map("({})".format),
        st.tuples(st.sampled_from([*FUNCTIONS]), st.lists(inner, max_size=3).map(", ".join)).map(
            "{0[0]}({0[1]})".format
        ),
        st.tuples(inner, inner).map("{0[0]}[{0[1]}]".format),
        st.tuples(inner, inner, inner).map("{0[0]}[{0[1]}:{0[2]}]".format),
        st.tuples(inner, inner, inner).map("({0[0]} if {0[1]} else {0[2]})".format),
        st.tuples(inner, inner, inner).map("[{0[0]} for m in {0[1]} if {0[2]}]".format),
        st.tuples(st.sampled_from(["not ", "-", "+"]), inner).map("".join),
        inner.map("{}.text".format),
        st.lists(inner, max_size=3).map(", ".join).map("[{}]".format),
    )


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=8,
)
_scopes = st.fixed_dictionaries({}, optional=dict.fromkeys(NAMES, _json))


def _refusal(text: str, scope: dict[str, Any]) -> ExpressionRefused | None:
    try:
        parse(text).value(scope, timeout_s=0.2)
    except ExpressionRefused as refused:
        return refused
    return None


@settings(max_examples=400)
@given(st.recursive(_leaves, _joined, max_leaves=8), _scopes)
def test_whatever_is_written_over_whatever_is_there_has_a_value_or_is_refused(text: str, scope: dict[str, Any]) -> None:
    refused = _refusal(text, scope)
    assert refused is None or 1 <= refused.column <= len(text) + 1


@settings(max_examples=300)
@given(st.text(alphabet=st.characters() | st.sampled_from("()[]{}'\"\\.,:+-*/%<>=! \nabclenblock01r#"), max_size=60))
def test_no_text_makes_the_reader_fail(text: str) -> None:
    refused = _refusal(text, {})
    assert refused is None or 1 <= refused.column <= len(text) + 1
