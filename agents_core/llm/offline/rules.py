"""The table of rules. A message is cut into sentences, each goes to the first rule that knows it."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from agents_core.llm.offline import facts, sentences
from agents_core.llm.offline.calls import missing_argument, named_tool
from agents_core.llm.offline.recall import by_date, question, search
from agents_core.llm.offline.storing import forget, remember, tell, wants_remembering
from agents_core.llm.offline.talk import fallback, small_talk
from agents_core.llm.offline.turn import Move, Turn

Rule = Callable[[Turn], Move | None]

WHOLE_MESSAGE_RULES: tuple[Rule, ...] = (named_tool,)
"""Asked first, about everything that was said at once."""

SENTENCE_RULES: tuple[Rule, ...] = (remember, forget, search, tell, small_talk, by_date, question)

MAX_PARTS = 12


def decide(turn: Turn) -> Move:
    """The next move: the first calls that any part of the message still needs, else one text for all parts."""
    if move := _first(WHOLE_MESSAGE_RULES, turn):
        return move
    moves = []
    for part in _parts(turn.said):
        move = _first(SENTENCE_RULES, replace(turn, said=part))
        if move and move.calls:
            return move
        if move:
            moves.append(move)
    if not moves:
        return missing_argument(turn) or fallback(turn)
    return Move(" ".join(move.why for move in moves), " ".join(dict.fromkeys(move.text for move in moves)))


def _first(rules: tuple[Rule, ...], turn: Turn) -> Move | None:
    return next((move for rule in rules if (move := rule(turn))), None)


def _parts(said: str) -> list[str]:
    """Sentences, with plain statements that stand side by side kept together, so that a correction is seen."""
    parts: list[list[str]] = []
    joinable = False
    for sentence, is_plain in _sentences(said):
        if is_plain and joinable:
            parts[-1].append(sentence)
        else:
            parts.append([sentence])
        joinable = is_plain
        if len(parts) > MAX_PARTS:
            break
    return [" ".join(part) for part in parts[:MAX_PARTS]]


def _sentences(said: str) -> Iterator[tuple[str, bool]]:
    """A note after a colon, or a long one, runs to the end of what was said: it is one text, never cut."""
    if wants_remembering(said) and (":" in said[:40] or len(said) > sentences.MAX_TEXT_CHARS):
        yield said, False
        return
    for sentence, mark in sentences.sentences(said[: sentences.MAX_TEXT_CHARS]):
        asked = sentences.is_question(sentence, mark)
        plain = not asked and not wants_remembering(sentence) and bool(facts.told(sentence))
        yield sentence + ("?" if asked else mark or "."), plain
