"""Questions: answered from core memory, else from archival memory, else from the conversation."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from agents_core.llm.offline import dates, facts, sentences
from agents_core.llm.offline.storing import wants_forgetting
from agents_core.llm.offline.turn import Done, Move, Turn
from agents_core.llm.offline.words import content_words, explained, overlap, shortened
from agents_core.llm.types import ChatMessage

ARCHIVE, CONVERSATION, BY_DATE = "archival_memory_search", "conversation_search", "conversation_search_date"

ENOUGH = 0.6
"""The share of a question's words that a line must hold to count as its answer."""

SHOWN_RESULTS = 5
MAX_QUOTE_CHARS = 240

_ABOUT_ME = re.compile(
    r"what (?:else )?do you (?:know|remember) (?:about|of) me|tell me about (?:me|myself)", re.IGNORECASE
)
_SPOKE_OF = re.compile(
    r"\b(?:(?:did|have|had) (?:i|we)|i|we) (?:\w+ )?"
    r"(?:say|said|mention(?:ed)?|tell|told|talk(?:ed)?|discuss(?:ed)?|sp(?:eak|oke))|"
    r"\b(?:do you|can you) (?:remember|recall)\b",
    re.IGNORECASE,
)
_SEARCH = re.compile(
    r"(?:please |can you |could you )*(?:search|look up|look in|query|find)(?: in| through)?(?: the| your| our)? ?"
    r"(?:(?P<archive>archiv(?:al|e)(?: memory)?|memory)|(?P<talk>conversations?|messages|history|chat)(?: history)?)"
    r"(?: for| about)?[\s:]+(?P<x>.+)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class _Hit:
    text: str
    stamp: str = ""
    role: str = ""

    @property
    def quoted(self) -> str:
        when = f" ({self.stamp[:16].replace('T', ' ')})" if self.stamp else ""
        who = f"{self.role}: " if self.role else ""
        return f"“{who}{shortened(self.text, MAX_QUOTE_CHARS)}”{when}"


# --- "search archival for tea", "what did we talk about on 3 May?" --------------------------------


def search(turn: Turn) -> Move | None:
    """A search that the person asks for by name."""
    found = _SEARCH.fullmatch(sentences.without_lead(turn.said).rstrip(".!?"))
    tool = (ARCHIVE if found["archive"] else CONVERSATION) if found else ""
    if not found or not (tool in turn.tools or turn.called(tool)):
        return None
    query = found["x"].strip("\"'“” ")
    done = _searched(turn, tool, query)
    if done is None:
        return Move(f"Rule 'search': {tool}.", calls=((tool, {"query": query}),))
    return Move("Rule 'search': report.", _listed(done, turn, f"for “{query}”"))


def by_date(turn: Turn) -> Move | None:
    """What was said on a day."""
    if not _SPOKE_OF.search(turn.said):
        return None
    days = dates.span(turn.said, dates.newest(turn.request))
    tool = next((name for name in (BY_DATE, CONVERSATION) if name in turn.tools), None)
    if days is None or tool is None:
        return None
    first, last = (day.isoformat() for day in days)
    arguments = {"start_date": f"{first}T00:00:00", "end_date": f"{last}T23:59:59"}
    done = next((done for done in turn.done if done.arguments.get("start_date") == arguments["start_date"]), None)
    if done is None:
        return Move(f"Rule 'by date': {tool} from {first} to {last}.", calls=((tool, arguments),))
    return Move(
        "Rule 'by date': report.", _listed(done, turn, f"on {first}" if first == last else f"from {first} to {last}")
    )


def _listed(done: Done, turn: Turn, what: str) -> str:
    if done.failed:
        return f"The search failed: {explained(done.text)}"
    hits = list(_hits(done, turn))[:SHOWN_RESULTS]
    if not hits:
        return f"I found nothing {what}."
    return f"I found {what}:\n" + "\n".join(f"- {hit.quoted}" for hit in hits)


# --- any other question ---------------------------------------------------------------------------


def question(turn: Turn) -> Move | None:
    if not sentences.is_question(turn.said, turn.said[-1:]):
        return None
    if _ABOUT_ME.search(turn.said):
        return Move("Rule 'about the person': read from core memory.", _about_person(turn))
    if answer := _from_core(turn):
        return Move("Rule 'question': answered from core memory.", answer)
    return _from_searches(turn)


def _about_person(turn: Turn) -> str:
    lines = turn.person.lines if turn.person else []
    if not lines:
        return "I know nothing about you yet. Tell me your name, where you live, or what you like."
    return "This is what I know about you:\n" + "\n".join(f"- {line.strip().removeprefix('- ')}" for line in lines)


def _from_core(turn: Turn) -> str:
    text = turn.said if len(turn.said) <= sentences.MAX_CLAUSE_CHARS else ""
    asked = [(kind, facts.slot_of(kind, "", key)) for kind, key in facts.asked(text)]
    known = list(_known(turn))
    answers = [
        fact.answer
        for kind, slot in asked
        for fact in known
        if fact.kind.name == kind.name
        and (kind.slot in ("value", "noun") or fact.slot == slot or not slot.split(":")[1])
    ]
    return " ".join(dict.fromkeys(answers)) or _closest_line(turn)


def _known(turn: Turn) -> Iterator[facts.Fact]:
    for block in turn.blocks.values():
        own = [fact for line in block.lines if (fact := facts.stored(line))]
        slots = {fact.slot for fact in own}
        written = [fact for fact, _ in facts.prose(block.value) if fact.slot not in slots]
        strange = {turn.persona: "person", turn.person: "agent"}.get(block)
        yield from (fact for fact in (*own, *written) if fact.kind.about != strange)


def _closest_line(turn: Turn) -> str:
    wanted = content_words(turn.said)
    scored = [
        (overlap(wanted, line), line.strip(), label) for label, block in turn.blocks.items() for line in block.lines
    ]
    best = max(scored, key=lambda each: each[0], default=(0.0, "", ""))
    if best[0] < ENOUGH:
        return ""
    return " ".join(f"My memory block “{label}” says: “{line}”" for score, line, label in scored if score == best[0])


def _from_searches(turn: Turn) -> Move:
    """One search after the other until one finds it; what was talked of is sought in the conversation first."""
    order = (CONVERSATION, ARCHIVE) if _SPOKE_OF.search(turn.said) else (ARCHIVE, CONVERSATION)
    query = _query(turn.said)
    closest = ""
    for tool in order:
        done = _searched(turn, tool, query)
        if done is None and tool in turn.tools:
            return Move(f"Rule 'question': not in core memory, so {tool}.", calls=((tool, {"query": query}),))
        if done and (answer := _answer(done, turn)):
            return Move(f"Rule 'question': answered from {tool}.", answer)
        closest = closest or (_closest_hit(done, turn) if done and tool == ARCHIVE else "")
    if not any(tool in turn.tools for tool in order) and (hit := _in_sight(turn)):
        return Move(
            "Rule 'question': answered from the messages in sight.", f"Earlier in this conversation: {hit.quoted}"
        )
    return Move("Rule 'question': nothing found.", f"I don't know. {closest}Tell me, and I will remember it.")


def _query(said: str) -> str:
    """The words that matter, in their order, so that a search by words is not led astray by the others."""
    wanted = content_words(said)
    words = [word for word in re.findall(r"[\w'\u2019-]+", said) if content_words(word) & wanted]
    return " ".join(words)[:400] or said[:400]


def _searched(turn: Turn, tool: str, query: str) -> Done | None:
    """The search for ``query``. A person may have edited the arguments: then the newest, once there are enough."""
    done = [done for done in turn.done if done.name == tool]
    exact = next((each for each in done if each.arguments.get("query") == query), None)
    parts = sum(1 for _ in sentences.sentences(turn.whole_said))
    return exact or (done[-1] if len(done) >= max(parts, 1) else None)


def _answer(done: Done, turn: Turn) -> str:
    wanted = content_words(turn.said)
    hits = [(overlap(wanted, hit.text), hit) for hit in _hits(done, turn)]
    good = [each for each in hits if each[0] >= ENOUGH]
    good = [each for each in good if each[1].role != "assistant"] or good  # the person's words before our echo of them
    good = sorted(good, key=lambda each: -each[0])[:2]
    where = "in my archive" if done.name == ARCHIVE else "in our conversation"
    return f"I found {where}: " + " and ".join(hit.quoted for _, hit in good) + "." if good else ""


def _closest_hit(done: Done, turn: Turn) -> str:
    hit = next(_hits(done, turn), None)
    return f"The closest in my archive is {hit.quoted}, which may not answer it. " if hit else ""


def _hits(done: Done, turn: Turn) -> Iterator[_Hit]:
    """What a search returned, without the question itself and without other questions."""
    results = done.result.get("results", []) if isinstance(done.result, dict) else done.result
    if isinstance(results, str):
        results = [line for line in results.splitlines() if line.strip() and not line.lower().startswith("no results")]
    for result in results if isinstance(results, list) and not done.failed else ():
        hit = _hit(result)
        asks = sentences.is_question(hit.text, hit.text[-1:]) or wants_forgetting(hit.text)
        if hit.text and hit.text not in turn.whole_said and not asks:
            yield hit


def _hit(result: Any) -> _Hit:
    if not isinstance(result, dict):
        return _Hit(str(result))
    text = next((result[key] for key in ("content", "message", "text") if isinstance(result.get(key), str)), "")
    return _Hit(
        text.strip(), str(result.get("timestamp") or result.get("created_at") or ""), str(result.get("role") or "")
    )


def _in_sight(turn: Turn) -> _Hit | None:
    """The newest of the person's messages that answers, when there is nothing to search with."""
    wanted = content_words(turn.said)
    return next(
        (
            _Hit(message.text, role=message.role)
            for message in reversed(turn.request.messages)
            if _is_statement(message)
            and message.text not in turn.whole_said
            and overlap(wanted, message.text) >= ENOUGH
        ),
        None,
    )


def _is_statement(message: ChatMessage) -> bool:
    return message.role == "user" and bool(message.text) and not sentences.is_question(message.text, message.text[-1:])
