"""How a line gets into a block, is replaced in it, or leaves it, with whichever memory tool there is."""

from collections.abc import Callable, Iterable
from typing import Any

from agents_core.llm.offline.turn import Block, Call, Turn

Arguments = dict[str, Any]

_ADDERS: dict[str, Callable[[Block, str], Arguments]] = {
    "memory_insert": lambda block, line: {"label": block.label, "new_string": line, "insert_line": -1},
    "core_memory_append": lambda block, line: {"label": block.label, "content": line},
    "memory": lambda block, line: {
        "command": "insert",
        "path": f"/memories/{block.label}",
        "insert_text": line,
        "insert_line": -1,
    },
    "memory_apply_patch": lambda block, line: {"label": block.label, "patch": f"+{line}"},
    "memory_rethink": lambda block, line: {"label": block.label, "new_memory": f"{block.value}\n{line}".strip("\n")},
    "rethink_user_memory": lambda block, line: {"new_memory": f"{block.value}\n{line}".strip("\n")},
}

_REPLACERS: dict[str, Callable[[Block, str, str], Arguments]] = {
    "memory_replace": lambda block, old, new: {"label": block.label, "old_string": old, "new_string": new},
    "core_memory_replace": lambda block, old, new: {"label": block.label, "old_content": old, "new_content": new},
    "memory": lambda block, old, new: {
        "command": "str_replace",
        "path": f"/memories/{block.label}",
        "old_string": old,
        "new_string": new,
    },
    "memory_apply_patch": lambda block, old, new: {"label": block.label, "patch": _patch(old, new)},
    "memory_rethink": lambda block, old, new: {"label": block.label, "new_memory": block.value.replace(old, new, 1)},
    "rethink_user_memory": lambda block, old, new: {"new_memory": block.value.replace(old, new, 1)},
}

EDITORS = {*_ADDERS, *_REPLACERS}
REWRITERS = ("memory_rethink", "rethink_user_memory")
"""They are given the whole new text of a block."""
REMEMBER_TOOL = "archival_memory_insert"
_USER_BLOCK = "human"


def add(turn: Turn, block: Block, line: str) -> Call | None:
    """The call that adds ``line`` at the end of ``block``; None when no tool can."""
    name = _first_offered(turn, block, _ADDERS)
    return (name, _ADDERS[name](_as_rethought(turn, block), line)) if name else None


def replace(turn: Turn, block: Block, old: str, new: str) -> Call | None:
    """The call that puts ``new`` in the place of ``old``; with only an adding tool ``new`` is added."""
    name = _first_offered(turn, block, _REPLACERS)
    if name:
        return name, _REPLACERS[name](_as_rethought(turn, block), old, new)
    return add(turn, block, new) if new else None


def remove(turn: Turn, block: Block, line: str) -> Call | None:
    """The call that takes ``line`` out, with its line end where it has one."""
    for old in (f"{line}\n", f"\n{line}"):
        if old in block.value:
            return replace(turn, block, old, "")
    return replace(turn, block, line, "")


def _first_offered(turn: Turn, block: Block, names: Iterable[str]) -> str | None:
    return next((name for name in names if name in turn.tools and _can_write(name, block)), None)


def _can_write(name: str, block: Block) -> bool:
    return name != "rethink_user_memory" or block.label == _USER_BLOCK


def _as_rethought(turn: Turn, block: Block) -> Block:
    """The system prompt may be older than a whole rewrite made in this turn."""
    done = next((done for name in REWRITERS if (done := turn.called(name))), None)
    if done and not done.failed and done.arguments.get("label", _USER_BLOCK) == block.label:
        return Block(block.label, str(done.arguments.get("new_memory", "")), block.read_only, block.limit_chars)
    return block


def _patch(old: str, new: str) -> str:
    removed = [f"-{line}" for line in old.strip("\n").split("\n")]
    return "\n".join([*removed, *(f"+{line}" for line in new.split("\n") if new)])
