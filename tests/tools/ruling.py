"""Tool rules of every type, made by hypothesis, about a few tools."""

from typing import Any

from hypothesis import strategies as st

NAMES = ("a", "b", "c", "d")
RESULTS = ("yes", " NO", "3", "other", None)
_name = st.sampled_from((*NAMES, "detached"))
_names = st.lists(_name, min_size=1, max_size=3, unique=True)


def _rules(kind: str, **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({"type": st.just(kind), "tool_name": _name, **fields})


RULE = st.one_of(
    *(
        _rules(kind)
        for kind in ("run_first", "exit_loop", "continue_loop", "required_before_exit", "requires_approval")
    ),
    *(_rules(kind, children=_names) for kind in ("constrain_child_tools", "parent_last_tool")),
    _rules("max_count_per_step", max_count_limit=st.integers(0, 2)),
    _rules(
        "conditional",
        child_output_mapping=st.dictionaries(st.sampled_from(("yes", "no", "3")), _name, min_size=1),
        default_child=st.none() | _name,
        require_output_mapping=st.booleans(),
    ),
)
RULES = st.lists(RULE, max_size=5)
"""Rules of an agent that has the tools ``NAMES``."""
