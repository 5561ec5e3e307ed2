"""How an agent's context is compacted, and when its prompt is compiled anew (contract: wire, section 5; agent-loop, section 6)."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Self

from agents_core.errors import InvalidInput

SLIDING, ALL = "sliding_window", "all"
SELF_SLIDING, SELF_ALL = "self_compact_sliding_window", "self_compact_all"
IMMEDIATE, AT_COMPACTION = "immediate", "compaction"

_FALLBACKS = {SLIDING: ALL, SELF_ALL: SELF_SLIDING, SELF_SLIDING: ALL}


@dataclass(frozen=True, slots=True)
class CompactionSettings:
    """An agent's ``compaction_settings`` with the defaults filled in.

    ``model``: the handle that writes summaries, with ``model_settings``; None for the agent's own. ``prompt``: what a summary has to keep,
    in place of our words; ``prompt_acknowledgement`` lets the summariser begin as one that has understood it (not where the agent
    summarises itself). ``clip_chars``: characters that a summary may have; None for no such limit. ``sliding_window_percentage``: the share
    of messages that leaves at least, and of the context window that is free afterwards.

    ``recompile`` is not in the contract: "immediate", the agent sees a change of its memory in the next step; "compaction", only after a
    compaction or when asked to recompile, so that the provider's cache of the prompt holds meanwhile.
    """

    mode: str = SLIDING
    model: str | None = None
    model_settings: dict[str, Any] = field(default_factory=dict)
    prompt: str | None = None
    prompt_acknowledgement: bool = False
    clip_chars: int | None = 50_000
    sliding_window_percentage: float = 0.3
    recompile: str = IMMEDIATE

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> Self:
        """The settings that ``stored`` holds, as ``merged`` left them."""
        known = {each.name for each in fields(cls)}
        return cls(**{name: value for name, value in stored.items() if name in known})

    @property
    def shown(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def attempts(self) -> list[str]:
        """The mode, and those that are tried in turn when it fails."""
        modes = [self.mode]
        while modes[-1] in _FALLBACKS:
            modes.append(_FALLBACKS[modes[-1]])
        return modes


def merged(stored: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """``stored`` with ``changes`` made field by field: null brings a field back to its default, and another mode the prompt too.

    Raises ``InvalidInput`` naming the field that cannot be.
    """
    result = {**stored, **changes}
    if "mode" in changes and "prompt" not in changes and result["mode"] != stored.get("mode", SLIDING):
        result["prompt"] = None
    result = {name: value for name, value in result.items() if value is not None or name == "clip_chars"}
    _check(result)
    return result


_CHOICES = {"mode": (SLIDING, ALL, SELF_SLIDING, SELF_ALL), "recompile": (IMMEDIATE, AT_COMPACTION)}
_KINDS: dict[str, type] = {"model": str, "prompt": str, "model_settings": dict, "prompt_acknowledgement": bool}


def _check(given: Mapping[str, Any]) -> None:
    for name, choices in _CHOICES.items():
        if name in given and given[name] not in choices:
            raise _refusal(name, f"one of {', '.join(choices)}")
    for name, kind in _KINDS.items():
        if name in given and not isinstance(given[name], kind):
            raise _refusal(name, f"a {kind.__name__}")
    share = given.get("sliding_window_percentage", 0.3)
    if isinstance(share, bool) or not isinstance(share, int | float) or not 0 < share < 1:
        raise _refusal("sliding_window_percentage", "a number between 0 and 1, such as 0.3")
    clip = given.get("clip_chars")
    if clip is not None and (isinstance(clip, bool) or not isinstance(clip, int) or clip < 1):
        raise _refusal("clip_chars", "a number of characters, or null")


def _refusal(name: str, wanted: str) -> InvalidInput:
    return InvalidInput(f"compaction_settings.{name} has to be {wanted}.")
