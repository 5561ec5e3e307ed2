"""Small talk: a table of what is said and what is answered."""

import re
from collections.abc import Callable

from agents_core.llm.offline import dates, facts, sentences
from agents_core.llm.offline.turn import Move, Turn

WHAT_I_AM = (
    "I am Mnemoscope's offline model: a table of rules, not a language model. I recognise some sentences, use this "
    "agent's memory and tools for real, and understand nothing beyond that. For a real model add a provider in "
    "Settings → Providers, or put an API key such as OPENAI_API_KEY or ANTHROPIC_API_KEY into the environment, and "
    "choose its model for this agent."
)

_HELP = (
    "Try: “My name is Inês and I live in Porto.” · “I moved to Lisbon.” · “Where do I live?” · “What do you know about "
    "me?” · “Remember that the door code is 4411.” · “Search archival for door code.” · “What did I say about "
    "Porto?” · “Forget that I live in Lisbon.” · “Your name is Max.”"
)


def _hello(turn: Turn) -> str:
    known = {
        fact.kind.name: fact.x
        for block in (turn.person,)
        if block
        for fact in (*(each for each, _ in facts.prose(block.value)), *filter(None, map(facts.stored, block.lines)))
    }
    name = known.get("nickname") or known.get("own name")
    return f"Hello, {name}!" if name else "Hello! I am a model made of rules. What is your name?"


def _help(turn: Turn) -> str:
    others = [
        name for name in turn.tools if "memory" not in name and name not in ("send_message", "conversation_search")
    ]
    example = f" · “Call {others[0]}.”" if others else ""
    return f"I am made of rules, so I do best with short plain sentences. {_HELP}{example}"


def _time(turn: Turn) -> str:
    stamp = dates.newest(turn.request)
    if stamp is None:
        return "I have no clock, and no message here carries a time."
    return f"I have no clock of my own; the newest time I can see is {stamp}."


_Reply = str | Callable[[Turn], str]

_TALK: tuple[tuple[str, tuple[str, ...], _Reply], ...] = (
    (
        "what it is",
        (
            r".*\b(?:who|what) (?:are|r) you\b.*",
            r"are you (?:an? )?(?:ai|llm|bot|robot|human|real|chatgpt|gpt|claude|language model|model|person)\b.*",
            r"(?:which|what) (?:language )?(?:model|llm)\b.*",
            r".*\badd an? (?:real )?(?:provider|model)\b.*",
            r"wer bist du|quién eres|qui es-tu",
        ),
        WHAT_I_AM,
    ),
    (
        "help",
        (
            r"help(?: me)?|hilfe|ayuda",
            r".*\bwhat can (?:you|i) (?:do|say|ask)\b.*",
            r"how (?:do|can) i (?:use|talk to) you.*",
        ),
        _help,
    ),
    (
        "time",
        (
            r".*\bwhat(?:'s| is)? ?(?:the )?(?:time|date|day)(?: is it| is today)?(?: now| today)?",
            r".*\bwhat (?:time|day|date) is it.*",
        ),
        _time,
    ),
    (
        "how it is",
        (r"how are you.*|how(?:'s| is) it going.*|how do you do.*|wie geht'?s.*|(?:ça|ca) va",),
        "My rules are in order, thank you. What would you like me to remember?",
    ),
    (
        "greeting",
        (
            r"(?:hi|hello|hey|howdy|greetings|good (?:morning|afternoon|evening|day))(?: \w+)?",
            r"(?:hallo|guten (?:tag|morgen|abend)|moin|ciao|hola|buenos días|bonjour|salut|olá|bom dia)(?: \w+)?",
        ),
        _hello,
    ),
    (
        "thanks",
        (r"(?:many |ok |okay )?(?:thanks|thank you|thx|cheers|danke|gracias|merci|obrigad[oa])\b.*",),
        "You're welcome.",
    ),
    (
        "goodbye",
        (r"(?:good ?)?(?:bye|night|see you|tschüss|adiós|au revoir|adeus)\b.*",),
        "Goodbye! What you told me stays in memory.",
    ),
    (
        "agreement",
        (r"(?:yes|yeah|yep|no|nope|ok|okay|sure|great|good|nice|cool|fine|perfect|right|wow|haha|lol)",),
        "All right.",
    ),
)
_COMPILED = [(name, re.compile("|".join(patterns), re.IGNORECASE), reply) for name, patterns, reply in _TALK]


def small_talk(turn: Turn) -> Move | None:
    said = turn.said.replace("\u2019", "'").strip(" .!?…,")
    if not said or len(said) > 120:
        return None
    lead = sentences.without_lead(said)
    for name, pattern, reply in _COMPILED:
        if pattern.fullmatch(said) or pattern.fullmatch(lead):
            return Move(f"Rule '{name}'.", reply if isinstance(reply, str) else reply(turn))
    return None


def fallback(turn: Turn) -> Move:
    """When no rule knows the words."""
    if not turn.said:
        seen = "I cannot see images: I am made of rules. " if turn.sees_image else ""
        return Move("Rule 'nothing said'.", f"{seen}{_hello(turn)} {_HELP}" if not seen else f"{seen}{_HELP}")
    return Move(
        "Rule 'nothing fits'.",
        "None of my rules knows what to do with that: I am rules, not a language model. "
        "Say “remember that …” and I will store it, or ask “what can you do?”",
    )
