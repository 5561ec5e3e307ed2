"""A tiny agent for the tests of the offline model: its memory is a dict, its loop is ten lines."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from agents_core.llm.base import Endpoint
from agents_core.llm.providers.offline import OfflineProvider
from agents_core.llm.types import ChatMessage, Finished, ModelRequest, Text, ToolCall, ToolSpec

V1_TOOLS = ("memory_insert", "memory_replace", "conversation_search")
MEMGPT_TOOLS = ("send_message", "core_memory_append", "core_memory_replace", "conversation_search")
ARCHIVAL_TOOLS = ("archival_memory_insert", "archival_memory_search")

PARAMETERS: dict[str, dict[str, Any]] = {
    "send_message": {"message": "string"},
    "core_memory_append": {"label": "string", "content": "string"},
    "core_memory_replace": {"label": "string", "old_content": "string", "new_content": "string"},
    "memory_insert": {"label": "string", "new_string": "string", "insert_line": "integer"},
    "memory_replace": {"label": "string", "old_string": "string", "new_string": "string"},
    "memory_rethink": {"label": "string", "new_memory": "string"},
    "memory_finish_edits": {},
    "memory_apply_patch": {"label": "string", "patch": "string"},
    "memory": dict.fromkeys(("command", "path", "old_string", "new_string", "insert_text", "insert_line"), "string"),
    "archival_memory_insert": {"content": "string"},
    "archival_memory_search": {"query": "string"},
    "conversation_search": {"query": "string", "start_date": "string", "end_date": "string"},
    "conversation_search_date": {"start_date": "string", "end_date": "string"},
}

ROLL_DICE = ToolSpec(
    "roll_dice",
    "Roll a die.",
    {
        "type": "object",
        "properties": {
            "sides": {"type": "integer", "description": "How many sides."},
            "label": {"type": "string", "default": ""},
            "mode": {"type": "string", "enum": ["fair", "loaded"]},
        },
        "required": ["sides"],
    },
)


class ToolFailureError(Exception):
    """What a tool of this world refuses with."""


@dataclass
class World:
    """``say`` runs a whole turn and gives the reply. ``called`` are the names of that turn's calls.

    ``edits`` are arguments that a person puts in the place of the model's, before the tool runs.
    """

    tools: tuple[str, ...] = V1_TOOLS
    blocks: dict[str, str] = field(default_factory=lambda: {"human": "", "persona": ""})
    read_only: tuple[str, ...] = ()
    limit_chars: int = 2_000
    heartbeats: bool = False
    numbered: bool = False
    recompiles: bool = True
    extra: dict[str, tuple[ToolSpec, Callable[..., Any]]] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    archive: list[str] = field(default_factory=list)
    messages: list[ChatMessage] = field(default_factory=list)
    called: list[str] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    steps: int = 0
    edits: dict[str, str] = field(default_factory=dict)

    async def say(self, text: str) -> str:
        self.messages.append(ChatMessage("user", (Text(text),)))
        self.called, self.reasons, self.steps = [], [], 0
        system = self.system()
        for _ in range(50):  # as many steps as a run has
            answer = await answered(replace(self.request(), system=self.system() if self.recompiles else system))
            answer = replace(answer, tool_calls=tuple(map(self._edited, answer.tool_calls)))
            self.steps += 1
            self.messages.append(answer)
            self.reasons += [part.text for part in answer.parts if not isinstance(part, Text)]  # type: ignore[union-attr]
            reply = self._run(answer)
            if reply is not None:
                return reply
        raise AssertionError(f"The turn does not end: {self.called}")

    def request(self) -> ModelRequest:
        own = [tool(name, self.heartbeats) for name in self.tools]
        specs = (*own, *(spec for spec, _ in self.extra.values()))
        return ModelRequest("rules", self.system(), tuple(self.messages), specs, **self.options)

    def system(self) -> str:
        return "You are kind.\n\n" + rendered(self.blocks, self.read_only, self.limit_chars, self.numbered)

    def _edited(self, call: ToolCall) -> ToolCall:
        given = json.loads(call.arguments)
        return replace(call, arguments=json.dumps({**given, **{k: v for k, v in self.edits.items() if k in given}}))

    def _run(self, answer: ChatMessage) -> str | None:
        if not answer.tool_calls:
            return answer.text
        ending = None
        for call in answer.tool_calls:
            given = json.loads(call.arguments)
            self.called.append(call.name)
            if given.pop("request_heartbeat", None) is False or call.name in ("send_message", "memory_finish_edits"):
                ending = given.get("message", "")
            try:
                status, result = "OK", self._execute(call.name, given)
            except ToolFailureError as error:
                status, result = "Failed", f"Error executing function {call.name}: {error}"
            packed = json.dumps({"status": status, "message": result, "time": "2026-11-20 10:00:00 AM UTC"})
            self.messages.append(ChatMessage("tool", (Text(packed),), (), call.id, status == "Failed"))
        return ending

    def _execute(self, name: str, given: dict[str, Any]) -> Any:
        if name in self.extra:
            return self.extra[name][1](**given)
        if name == "archival_memory_insert":
            return self.archive.append(given["content"])
        if name == "archival_memory_search":
            return [{"id": "passage-1", "content": text, "timestamp": "2026-05-03T10:00:00"} for text in self.archive]
        if name.startswith("conversation_search"):
            return self._conversation(given)
        if "label" in given or "path" in given:
            return self._edit(name, given)
        return "Sent message successfully."

    def _conversation(self, given: dict[str, Any]) -> dict[str, Any]:
        words = given.get("query", "").lower().split()
        found = [
            {"timestamp": "2026-05-03T10:00:00", "role": message.role, "content": message.text}
            for message in self.messages
            if message.role != "tool" and message.text and any(word in message.text.lower() for word in words or [""])
        ]
        return {"message": f"Showing {len(found)} results:", "results": found}

    def _edit(self, name: str, given: dict[str, Any]) -> str:
        label = given.get("label") or given["path"].removeprefix("/memories/")
        if label not in self.blocks:
            raise ToolFailureError(f"There is no block {label!r}.")
        if label in self.read_only:
            raise ToolFailureError("This block is read-only and cannot be edited.")
        value = edited(name, self.blocks[label], given)
        if len(value) > self.limit_chars:
            raise ToolFailureError(f"The value has {len(value)} characters, over the limit of {self.limit_chars}.")
        self.blocks[label] = value
        return value


def edited(name: str, value: str, given: dict[str, Any]) -> str:
    if name == "memory_rethink":
        return str(given["new_memory"])
    if name == "memory_apply_patch":
        return patched(value, given["patch"])
    added = (
        given.get("content")
        or given.get("insert_text")
        or (given.get("new_string") if "old_string" not in given else "")
    )
    if added:
        return f"{value}\n{added}".strip("\n")
    old, new = given.get("old_string", given.get("old_content")), given.get("new_string", given.get("new_content"))
    if not old or value.count(old) != 1:
        raise ToolFailureError(f"{old!r} was not found exactly once.")
    return value.replace(old, str(new))


def patched(value: str, patch: str) -> str:
    lines = value.split("\n") if value else []
    for line in patch.split("\n"):
        if line.startswith("-") and line[1:] not in lines:
            raise ToolFailureError(f"{line[1:]!r} was not found.")
        if line.startswith("-"):
            lines.remove(line[1:])
        else:
            lines.append(line[1:])
    return "\n".join(lines)


def rendered(blocks: dict[str, str], read_only: tuple[str, ...], limit: int, numbered: bool) -> str:
    parts = ["<memory_blocks>", "These are your memory blocks.", ""]
    for label, value in blocks.items():
        shown = "\n".join(f"{n}→ {line}" for n, line in enumerate(value.split("\n"), 1)) if numbered else value
        flag = "- read_only=true\n" if label in read_only else ""
        warning = "<warning>\nLine numbers are for viewing only.\n</warning>\n" if numbered else ""
        parts.append(
            f"<{label}>\n<description>\nAbout {label}.\n</description>\n<metadata>\n{flag}"
            f"- chars_current={len(value)}\n- chars_limit={limit}\n</metadata>\n{warning}"
            f"<value>\n{shown}\n</value>\n</{label}>\n"
        )
    return "\n".join([*parts, "</memory_blocks>"])


def tool(name: str, heartbeats: bool = False) -> ToolSpec:
    properties = {key: {"type": kind} for key, kind in PARAMETERS[name].items()}
    if heartbeats and name != "send_message":
        properties["request_heartbeat"] = {"type": "boolean"}
    return ToolSpec(
        name, f"The tool {name}.", {"type": "object", "properties": properties, "required": list(properties)}
    )


async def finished(request: ModelRequest) -> Finished:
    items = [item async for item in OfflineProvider(Endpoint()).stream(request)]
    (last,) = (item for item in items if isinstance(item, Finished))
    assert items[-1] is last
    return last


async def answered(request: ModelRequest) -> ChatMessage:
    return (await finished(request)).message
