"""Cutting the JSON of a request into its parts, for any JSON."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents_core.llm.types import Placed
from agents_core.models import SegmentKind
from agents_core.record.segments import Piece, Plan, cut, spans
from agents_core.record.steps import readable

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4), max_leaves=25
)
Path = tuple[str | int, ...]


def paths_of(value: Any, path: Path = ()) -> list[Path]:
    inner: list[tuple[str | int, Any]] = []
    if isinstance(value, dict):
        inner = list(value.items())
    elif isinstance(value, list):
        inner = list(enumerate(value))
    return [path, *(found for key, each in inner for found in paths_of(each, (*path, key)))]


def at(value: Any, path: Path) -> Any:
    for key in path:
        value = value[key]
    return value


@given(value=values, indent=st.sampled_from([None, 0, 3]), ascii_only=st.booleans(), data=st.data())
def test_a_span_holds_the_value_at_its_path(
    value: Any, indent: int | None, ascii_only: bool, data: st.DataObject
) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    chosen = data.draw(st.lists(st.sampled_from(paths_of(value)), max_size=6, unique=True))
    for path, (start, end) in zip(chosen, spans(text, chosen), strict=True):
        assert json.loads(text[start:end]) == at(value, path)


def test_a_path_that_is_not_there_is_an_error() -> None:
    with pytest.raises(KeyError):
        spans('{"a": [1]}', [("a", 1)])


parts = st.lists(st.text(alphabet=st.characters(exclude_categories=("Cs",))), max_size=5)


@given(
    system=parts,
    tools=st.lists(values, max_size=4),
    messages=st.lists(values, max_size=5),
    around=values,
    ascii_only=st.booleans(),
)
def test_the_segments_of_a_body_join_to_the_body(
    system: list[str], tools: list[Any], messages: list[Any], around: Any, ascii_only: bool
) -> None:
    content = {"x": around, "system": "".join(system), "tools": tools, "y": 1, "messages": messages, "z": around}
    body = json.dumps(content, ensure_ascii=ascii_only, separators=(",", ":")).encode("utf-8", "replace")
    layout = [
        Placed(("system",), "system"),
        *(Placed(("tools", n), "tool", n) for n in range(len(tools))),
        *(Placed(("messages", n), "message", n) for n in range(len(messages))),
    ]
    plan = Plan(
        [Piece(SegmentKind.CORE, str(n), "", 1, part) for n, part in enumerate(system)],
        [Piece(SegmentKind.TOOL, str(n), "", 1) for n in range(len(tools))],
        [Piece(SegmentKind.MESSAGE, str(n), "", 1) for n in range(len(messages))],
    )
    segments = cut("agent-1", body, layout, plan)
    assert "".join(segment.text for segment in segments).encode() == body
    assert [s.piece.source_id for s in segments if s.piece.kind == SegmentKind.TOOL] == [
        str(n) for n in range(len(tools))
    ]
    assert [s.piece.source_id for s in segments if s.piece.kind == SegmentKind.MESSAGE] == [
        str(n) for n in range(len(messages))
    ]
    shown = [s for s in segments if s.piece.kind == SegmentKind.CORE]
    assert [s.piece.source_id for s in shown] == [str(n) for n, part in enumerate(system) if part]
    assert "".join(readable(s.piece.kind, s.text.encode()) for s in shown) == "".join(system)
    again = cut("agent-1", body, layout, plan)
    assert [s.id for s in again] == [s.id for s in segments]
    assert not {s.id for s in cut("agent-2", body, layout, plan)} & {s.id for s in segments}


def test_a_system_prompt_written_in_another_way_is_one_segment() -> None:
    body = b'{"system":"caf\\u00E9"}'
    plan = Plan([Piece(SegmentKind.CORE, "b", "", 2, "ca"), Piece(SegmentKind.RULES, "", "", 3, "f\u00e9")], [], [])
    segments = cut("a", body, [Placed(("system",), "system")], plan)
    assert [(s.piece.kind, s.piece.tokens) for s in segments if s.piece.kind != SegmentKind.ENVELOPE] == [
        (SegmentKind.SYSTEM, 5)
    ]
    assert "".join(s.text for s in segments).encode() == body


@pytest.mark.parametrize(
    "kind", [SegmentKind.SYSTEM, SegmentKind.CORE, SegmentKind.RULES, SegmentKind.FILE, SegmentKind.METADATA]
)
def test_a_part_of_the_system_prompt_is_read_unescaped(kind: SegmentKind) -> None:
    assert readable(kind, b'a \\"word\\"\\nand a line') == 'a "word"\nand a line'
