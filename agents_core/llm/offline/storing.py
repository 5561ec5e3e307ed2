"""The rules that change memory: what a person tells, corrects, or wants forgotten."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from agents_core.llm.offline import edits, facts, sentences
from agents_core.llm.offline.facts import Fact
from agents_core.llm.offline.kinds import Kind
from agents_core.llm.offline.turn import Block, Call, Done, Move, Turn
from agents_core.llm.offline.words import content_words, explained

_REMEMBER = re.compile(
    r"(?:please )?(?P<polite>(?:can|could|would) you )?(?:please )?"
    r"(?:remember|note|save|store|keep in mind|write down|do(?:n't| not) forget|make a note|merke? dir|recuerda que)"
    r"(?: (?:this|that|the following|of|down|for later|dass))*\b[\s:,]*(?P<x>\S.*)",
    re.IGNORECASE | re.DOTALL,
)
_FORGET = re.compile(
    r"(?:please )?(?:forget|delete|remove|erase)(?: about)?(?: (?:the fact|everything))?(?: (?:that|about))? (?P<x>.+)",
    re.IGNORECASE,
)
_NO_LONGER = re.compile(
    r"i (?:no longer|don't|do not) (?P<x>(?:live|work|have|own|play|speak|drive|study|teach)\b.+)", re.IGNORECASE
)
_MEMORY_WORDS = re.compile(r"^(?:archival|memory|archive|from (?:your )?memory|it|that|this)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Wish:
    """A line that shall stand in a block, and the exact words it takes the place of. ``new`` empty: shall be gone."""

    block: Block
    new: str
    old: str = ""

    def is_of(self, done: Done) -> bool:
        return done.name in edits.EDITORS and done.holds(self.new or self.old)


# --- "I live in Porto", "your name is Max" --------------------------------------------------------


def tell(turn: Turn) -> Move | None:
    """Facts about the person go to their block, facts about the agent to its persona."""
    told = facts.told(turn.said)
    if not told:
        return None
    wishes = {fact.line: _wish(turn, fact) for fact in told}
    calls = [call for wish in wishes.values() if wish and (call := _next_call(turn, wish))]
    if calls:
        alone = calls[0][0] in edits.REWRITERS  # each rewrite holds the one before it
        why = f"Rule '{told[0].kind.name}': store it in block {_label(calls[0])}."
        return Move(why, calls=tuple(calls[:1] if alone else calls))
    return Move(f"Rule '{told[0].kind.name}': nothing left to write.", " ".join(_reports(turn, told, wishes)))


def _label(call: Call) -> str:
    arguments = call[1]
    return str(arguments.get("label") or arguments.get("path", "").rpartition("/")[2] or "human")


def _wish(turn: Turn, fact: Fact) -> Wish | None:
    """None when there is no block for it."""
    block = turn.persona if fact.kind.about == "agent" else turn.person
    if block is None:
        return None
    for line in block.lines:
        known = facts.stored(line)
        if known and known.slot == fact.slot:
            return Wish(block, fact.line, line)
    for known, words in facts.prose(block.value):
        if known.slot == fact.slot:
            return Wish(block, words.replace(known.x, fact.x), words)
    return Wish(block, fact.line)


def _next_call(turn: Turn, wish: Wish) -> Call | None:
    """The write that is still to make: none when it was made, is not needed, or failed for good."""
    tried = [done for done in turn.done if wish.is_of(done)]
    if wish.new.casefold() == wish.old.casefold() or wish.block.read_only or any(not done.failed for done in tried):
        return None
    if tried:
        return _second_try(turn, wish, tried)
    if not wish.new:
        return edits.remove(turn, wish.block, wish.old)
    if wish.old:
        return edits.replace(turn, wish.block, wish.old, wish.new)
    return edits.add(turn, wish.block, wish.new)


def _second_try(turn: Turn, wish: Wish, tried: list[Done]) -> Call | None:
    """A block that is full spills into the archive; words that are no longer there are added anew. Once."""
    error = tried[-1].text.lower()
    if len(tried) > 1 or not wish.new or "read-only" in error or any(done.holds(wish.new) for done in _archived(turn)):
        return None
    if "limit" in error or "exceed" in error:
        return (edits.REMEMBER_TOOL, {"content": wish.new}) if edits.REMEMBER_TOOL in turn.tools else None
    return edits.add(turn, wish.block, wish.new) if wish.old and "not found" in error else None


def _archived(turn: Turn) -> Iterator[Done]:
    return (done for done in turn.done if done.name == edits.REMEMBER_TOOL)


def _reports(turn: Turn, told: list[Fact], wishes: dict[str, Wish | None]) -> Iterator[str]:
    """A sentence for each fact, but one for all that were simply added to a block."""
    added: dict[str, list[str]] = {}
    for fact in told:
        wish = wishes[fact.line]
        if wish and _was_added(turn, wish):
            added.setdefault(wish.block.label, []).append(f"“{fact.line}”")
            if fact.kind.name == "own name":
                yield f"Nice to meet you, {fact.x}!"
        else:
            yield _reported(turn, fact, wish)
    for label, lines in added.items():
        yield f"I noted {', '.join(lines)} in my memory block “{label}”."


def _was_added(turn: Turn, wish: Wish) -> bool:
    tried = [done for done in turn.done if wish.is_of(done)]
    return bool(tried) and not tried[-1].failed and not _replaced(tried[-1])


def _replaced(done: Done) -> str:
    return next((str(value) for key, value in done.arguments.items() if key.startswith("old_")), "")


def _reported(turn: Turn, fact: Fact, wish: Wish | None) -> str:
    quoted = f"“{fact.line}”"
    if wish is None:
        return (
            f"I have no memory block to keep {quoted} in, so I know it only while this conversation is in my context."
        )
    if not (tried := [done for done in turn.done if wish.is_of(done)]):
        return _reported_unwritten(fact, wish)
    if not tried[-1].failed:
        old = _replaced(tried[-1])
        instead = f", in place of “{old}”" if old else ""
        return f"I noted {quoted} in my memory block “{wish.block.label}”{instead}."
    if any(not done.failed and done.holds(wish.new) for done in _archived(turn)):
        return f"My memory block “{wish.block.label}” is full, so I put {quoted} into archival memory."
    return f"I could not keep {quoted}: {explained(tried[-1].text)}"


def _reported_unwritten(fact: Fact, wish: Wish) -> str:
    if wish.new.casefold() == wish.old.casefold():
        return f"I already know that: “{wish.old}”"
    if wish.block.read_only:
        return f"My memory block “{wish.block.label}” is read-only, so I cannot write “{fact.line}” there."
    return f"I have no tool to write to memory, so I know “{fact.line}” only while this conversation is in my context."


def wants_remembering(sentence: str) -> bool:
    return _REMEMBER.match(sentences.without_lead(sentence)) is not None


# --- "forget that I live in Porto" ----------------------------------------------------------------


def forget(turn: Turn) -> Move | None:
    clause = next((clause for clause in sentences.clauses(turn.said) if _to_forget(clause)), None)
    if clause is None:
        return None
    target = _to_forget(clause) or ""
    removed = next((done for done in turn.done if _is_removal(done)), None)
    if removed:
        return Move("Rule 'forget': removed." if not removed.failed else "Rule 'forget': failed.", _forgotten(removed))
    wish = _unwish(turn, target)
    if wish is None:
        return Move(
            "Rule 'forget': nothing like it in memory.", f"I have nothing about “{target}” in my memory blocks."
        )
    if wish.block.read_only:
        text = f"My memory block “{wish.block.label}” is read-only, so I cannot remove “{wish.old}”."
        return Move("Rule 'forget': the block is read-only.", text)
    call = _next_call(turn, wish)
    if call is None:
        return Move("Rule 'forget': no tool for it.", f"I have no tool that can remove “{wish.old}” from my memory.")
    return Move(f"Rule 'forget': remove “{wish.old}” from block {wish.block.label}.", calls=(call,))


def _to_forget(clause: str) -> str | None:
    found = _FORGET.fullmatch(clause) or _NO_LONGER.fullmatch(clause)
    return found["x"] if found and not _MEMORY_WORDS.match(found["x"]) else None


def wants_forgetting(sentence: str) -> bool:
    return _FORGET.fullmatch(sentences.without_lead(sentence).rstrip(".!")) is not None


def _is_removal(done: Done) -> bool:
    if done.name not in edits.EDITORS:
        return False
    patch = done.arguments.get("patch")
    emptied = any(value == "" for key, value in done.arguments.items() if key.startswith("new_"))
    return emptied or done.name in edits.REWRITERS or (isinstance(patch, str) and "+" not in patch)


def _forgotten(removed: Done) -> str:
    if removed.failed:
        return f"I could not remove it: {explained(removed.text)}"
    lines = [
        value.strip() for key, value in removed.arguments.items() if key.startswith("old") and isinstance(value, str)
    ]
    return f"Done: I removed “{lines[0]}” from my memory." if lines else "Done: it is gone from my memory."


def _unwish(turn: Turn, target: str) -> Wish | None:
    """The line that says what is to be forgotten: of the same fact, else the one with most of its words."""
    target = target if target.lower().startswith(("i ", "i'm", "my ")) else f"I {target}"
    named = {fact.slot for fact in facts.told(target)}
    wanted = content_words(target)
    best: tuple[float, Block, str] | None = None
    for block in (turn.person, turn.persona):
        for line in block.lines if block else ():
            known = facts.stored(line)
            same = 2.0 if known and known.slot in named else 0.0
            score = same + (len(wanted & content_words(line)) / len(wanted) if wanted else 0.0)
            if block and score >= 0.5 and (best is None or score > best[0]):
                best = (score, block, line)
    return Wish(best[1], "", best[2]) if best else None


# --- "remember that the meeting is on Friday" -----------------------------------------------------


def remember(turn: Turn) -> Move | None:
    """Whole sentences for later: to archival memory, or to the person's block when there is none."""
    found = _REMEMBER.fullmatch(sentences.without_lead(turn.said))
    if found is None or sentences.is_question(found["x"], "" if found["polite"] else turn.said[-1:]):
        return None
    content = found["x"].removesuffix("?" if found["polite"] else "").strip('"“” \n')
    content = content[:1].upper() + content[1:]
    if edits.REMEMBER_TOOL in turn.tools or any(_archived(turn)):
        return _archive(turn, content)
    if turn.person is None:
        return Move("Rule 'remember': no memory to write to.", f"I have no memory to keep “{content}” in.")
    fact = Fact(_NOTE, content, "note", content, "")
    known = next((line for line in turn.person.lines if line.casefold() == content.casefold()), "")
    wish = Wish(turn.person, content, known)
    if call := _next_call(turn, wish):
        return Move(f"Rule 'remember': no archive, so keep it in block {turn.person.label}.", calls=(call,))
    return Move("Rule 'remember': kept.", _reported(turn, fact, wish))


_NOTE = Kind("note", (), "{x}", r"(?!)", "{x}")


def _archive(turn: Turn, content: str) -> Move:
    done = _archived_as(turn, content)
    if done is None:
        call = (edits.REMEMBER_TOOL, {"content": content})
        return Move("Rule 'remember': store it in archival memory.", calls=(call,))
    if done.failed:
        return Move("Rule 'remember': the archive refused.", f"I could not store it: {explained(done.text)}")
    return Move("Rule 'remember': stored.", f"I stored “{done.arguments.get('content')}” in archival memory.")


def _archived_as(turn: Turn, content: str) -> Done | None:
    """The insert of ``content``. A person may have edited the arguments: then the newest, once there are enough."""
    done = list(_archived(turn))
    exact = next((each for each in done if each.holds(content)), None)
    wanted = sum(wants_remembering(sentence) for sentence, _ in sentences.sentences(turn.whole_said))
    return exact or (done[-1] if done and len(done) >= wanted else None)
