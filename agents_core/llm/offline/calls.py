"""A tool named by the person: "call roll_dice with sides=6 and label='x'", "roll_dice 6"."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from agents_core.llm.offline import schema
from agents_core.llm.offline.turn import Done, Move, Turn
from agents_core.llm.offline.words import explained, shortened
from agents_core.llm.types import ToolSpec

HIDDEN = ("request_heartbeat", "thinking", "inner_thoughts")
"""Parameters that the agent loop adds to every tool; nobody names them."""

MAX_RESULT_CHARS = 1_500

_ASKING = "To call `{name}` I still need "
_ASKED = re.compile(r"To call `(?P<name>[^`]+)` I still need `(?P<missing>[^`]+)`(?P<more>,)?")
_REQUEST = re.compile(
    r"(?:please |(?P<polite>can you |could you )|now |ok,? |and )*(?:(?P<verb>call|use|run|execute|invoke|try)\s+)?"
    r"(?P<article>the\s+)?(?P<noun>tool\s+|function\s+)?[`\"']?(?P<name>[\w.-]+)[`\"']?(?:\s+(?:tool|function))?(?P<rest>.*)",
    re.IGNORECASE | re.DOTALL,
)
_LINK = re.compile(r"^\s*(?:(?:with|using|on|for|to|and|,|:|the|arguments?|args)\b|[,:])?\s*", re.IGNORECASE)
_TOKEN = re.compile(
    r"""(?:(?P<key>[^\W\d]\w*)\s*(?:=|:(?=\s|["'\d\[{]))\s*)?"""
    r"""(?P<value>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|“[^”]*”|\[[^\]]*\]|\{[^}]*\}|[^\s,()]+)\s*(?:,|\band\b)?\s*"""
)


@dataclass(frozen=True, slots=True)
class _Named:
    tool: ToolSpec
    rest: str

    @property
    def parameters(self) -> dict[str, schema.Schema]:
        known = schema.properties(self.tool.parameters)
        return {name: part for name, part in known.items() if name not in HIDDEN}

    @property
    def required(self) -> list[str]:
        return [name for name in schema.required(self.tool.parameters) if name in self.parameters]


def named_tool(turn: Turn) -> Move | None:
    """Calls the tool that the person names, asks for what is missing, and reports what came back."""
    named = _named(turn)
    return _call_of(turn, named) if named else None


def missing_argument(turn: Turn) -> Move | None:
    """The person's words answer our question for an argument of a tool."""
    answered = _answered(turn)
    return _call_of(turn, answered) if answered else None


def _call_of(turn: Turn, named: _Named) -> Move:
    why = f"Rule 'named tool': {named.tool.name}."
    if done := turn.called(named.tool.name):
        return Move(why, reported(done))
    arguments, unfit = _arguments(named)
    missing = [name for name in named.required if name not in arguments and name not in unfit]
    if unfit or missing:
        return Move(why, _question(named, missing, unfit))
    return Move(why, calls=((named.tool.name, arguments),))


def reported(done: Done) -> str:
    if done.failed:
        return f"`{done.name}` failed: {explained(done.text)}"
    if done.result in (None, "", "None"):
        return f"`{done.name}` ran and returned nothing."
    return f"`{done.name}` returned: {shortened(done.text, MAX_RESULT_CHARS)}"


def _named(turn: Turn) -> _Named | None:
    found = _REQUEST.fullmatch(turn.said.rstrip(".!"))
    tool = _offered(turn, found["name"]) if found else None
    if tool and found:
        plain_word = "_" not in tool.name  # "memory" or "weather" may begin any sentence
        return (
            None
            if plain_word and not (found["verb"] or found["noun"])
            else _Named(tool, found["rest"].removesuffix("?" if found["polite"] else ""))
        )
    return _spoken(turn)


def _offered(turn: Turn, name: str) -> ToolSpec | None:
    return turn.tools.get(name) or turn.tools.get(name.rstrip(".,:;!")) or turn.tools.get(name.lower())


def _spoken(turn: Turn) -> _Named | None:
    """ "roll dice 6" for roll_dice."""
    said = re.sub(r"^(?:please |(?:call|use|run|try) (?:the )?)+", "", turn.said, flags=re.IGNORECASE)
    for name, tool in turn.tools.items():
        spoken = name.replace("_", " ")
        if "_" in name and re.match(re.escape(spoken) + r"(?!\w)", said, re.IGNORECASE):
            return _Named(tool, said[len(spoken) :])
    return None


def _answered(turn: Turn) -> _Named | None:
    asked = _ASKED.match(turn.previous_reply)
    tool = turn.tools.get(asked["name"]) if asked else None
    if tool is None or asked is None or turn.said.endswith("?"):
        return None
    given = turn.previous_reply.partition("So far: ")[2].rstrip(".")
    answer = (
        turn.said if re.match(r"\w+\s*[=:]", turn.said) or asked["more"] else f"{asked['missing']}={_quoted(turn.said)}"
    )
    return _Named(tool, f"{given}, {answer}" if given else answer)


def _quoted(text: str) -> str:
    plain = text.strip().rstrip(".")
    return plain if re.fullmatch(r"[^\s,()]+|\".*\"|'.*'", plain) else f'"{plain}"'


# --- arguments ------------------------------------------------------------------------------------


def _arguments(named: _Named) -> tuple[dict[str, Any], dict[str, str]]:
    """What was given for each parameter, and what would fit where it did not."""
    arguments: dict[str, Any] = {}
    unfit: dict[str, str] = {}
    for name, text in _given(named):
        try:
            arguments[name] = schema.coerced(text, named.parameters[name])
        except schema.UnfitError as error:
            unfit[name] = str(error)
    return arguments, unfit


def _given(named: _Named) -> Iterator[tuple[str, str]]:
    rest = _LINK.sub("", named.rest.strip().removeprefix("(").removesuffix(")"), count=1)
    tokens = [(found["key"], _unquoted(found["value"])) for found in _TOKEN.finditer(rest)]
    keyed = {key: value for key, value in tokens if key in named.parameters}
    yield from keyed.items()
    open_names = [name for name in (*named.required, *named.parameters) if name not in keyed]
    open_names = list(dict.fromkeys(open_names))
    loose = [value for key, value in tokens if key is None and value.lower() not in ("and", "with")]
    if not keyed and loose and _takes_whole_text(named):
        loose = [_unquoted(rest.strip())]
    yield from zip(open_names, loose, strict=False)


def _takes_whole_text(named: _Named) -> bool:
    """One text to give: the rest of the sentence is that text."""
    needed = named.required or list(named.parameters)[:1]
    return len(needed) == 1 and schema.kind(named.parameters[needed[0]]) == "string"


def _unquoted(text: str) -> str:
    if len(text) >= 2 and text[0] + text[-1] in ('""', "''", "“”"):
        return text[1:-1].replace("\\" + text[0], text[0])
    return text


def _question(named: _Named, missing: list[str], unfit: dict[str, str]) -> str:
    wanted = [
        *(f"`{name}` ({fits} would fit)" for name, fits in unfit.items()),
        *(_described(named, name) for name in missing),
    ]
    given = {name: text for name, text in _given(named) if name not in unfit}
    so_far = "; ".join(f"{name}={_quoted(text)}" for name, text in given.items())
    text = _ASKING.format(name=named.tool.name) + ", ".join(wanted) + "."
    return f"{text} So far: {so_far}." if so_far else text


def _described(named: _Named, name: str) -> str:
    part = named.parameters[name]
    choices = part.get("enum")
    kind = f"one of {', '.join(map(str, choices))}" if isinstance(choices, list) else schema.kind(part)
    description = part.get("description")
    return f"`{name}` ({kind}: {shortened(description, 100)})" if isinstance(description, str) else f"`{name}` ({kind})"
