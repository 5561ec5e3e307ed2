"""Which messages leave the context window when it is compacted."""

from collections.abc import Sequence
from itertools import accumulate

from agents_core.models import Role
from agents_core.runtime.compaction_settings import ALL, SELF_ALL, CompactionSettings
from agents_core.runtime.context import COMPACT_AT, ContextWindow
from agents_core.runtime.state import StoredMessage, Turn
from agents_core.runtime.summarising import SUMMARY_SHARE

EVICT_SHARE = 0.5
"""The share of the messages' tokens that leaves at least when the model finds the request too long: our count was wrong then."""


def choose_evicted(
    turn: Turn, window: ContextWindow, mode: str, settings: CompactionSettings, at_least: float = 0
) -> list[StoredMessage]:
    """The messages that leave in ``mode``, oldest first; none when that would not make a request that fits, or would only replace a
    summary by another.

    A sliding window takes the fewest that are ``sliding_window_percentage`` of all and leave that share of the context window free (and
    what a summary needs below the threshold), or all if no cut does. Messages that wait for an answer stay, and so do calls that wait for
    their return. A cut parts no call from its return, and no messages that one run answers.

    Args:
        at_least: the share of the messages' tokens that has to leave in any case.
    """
    candidates = _candidates(turn.messages)
    freed = _freed(turn, window, candidates)
    if not freed or window.tokens - freed[-1] > turn.agent.context_window:
        return []
    if mode in (ALL, SELF_ALL):
        return _worth_it(candidates)
    share = settings.sliding_window_percentage
    goal = turn.agent.context_window * min(1 - share, COMPACT_AT - SUMMARY_SHARE)
    surplus = max(window.tokens - goal, freed[-1] * at_least)
    enough = (at for at in _cuts(candidates) if at >= len(candidates) * share and freed[at - 1] >= surplus)
    return _worth_it(candidates[: next(enough, len(candidates))])


def _worth_it(chosen: list[StoredMessage]) -> list[StoredMessage]:
    return [] if all(message.role == Role.SUMMARY for message in chosen) else chosen


def _candidates(messages: Sequence[StoredMessage]) -> list[StoredMessage]:
    """All messages but those that wait for an answer, and from the last answer on when it holds a call without a return."""
    settled = [message for message in messages if not message.waiting]
    last = next((at for at in reversed(range(len(settled))) if settled[at].role == Role.ASSISTANT), None)
    if last is None:
        return settled
    returned = {answer["tool_call_id"] for message in settled[last:] for answer in message.tool_returns}
    is_pending = any(call["id"] not in returned for call in settled[last].tool_calls)
    return settled[:last] if is_pending else settled


def _freed(turn: Turn, window: ContextWindow, messages: Sequence[StoredMessage]) -> list[int]:
    """How many tokens are free when the first of ``messages`` left, the first two, and so on."""
    sizes: dict[str, int] = {}
    for piece in window.plan.messages:
        sizes[piece.source_id] = sizes.get(piece.source_id, 0) + piece.tokens
    return list(accumulate(round(sizes.get(message.id, 0) * turn.token_ratio) for message in messages))


def _cuts(messages: Sequence[StoredMessage]) -> list[int]:
    """The places before which a cut parts nothing that belongs together, in order; the end is one."""
    returns = {answer["tool_call_id"]: at for at, message in enumerate(messages) for answer in message.tool_returns}
    cuts, settled_at = [], 0
    for at, message in enumerate(messages, start=1):
        settled_at = max([settled_at, *(returns.get(call["id"], 0) + 1 for call in message.tool_calls)])
        if at >= settled_at and (at == len(messages) or _may_stand_first(messages[at], message)):
            cuts.append(at)
    return cuts


def _may_stand_first(message: StoredMessage, before: StoredMessage) -> bool:
    if message.role in (Role.TOOL, Role.APPROVAL):
        return False
    return message.position is None or message.position != before.position
