"""The wire format of Anthropic's Messages API (https://platform.claude.com/docs/en/api/messages), version 2026-10-21.

That version has no temperature: ``ModelRequest.temperature`` is not sent. It has no bare JSON mode either: of
``response_format`` only a schema is sent.
"""

from collections.abc import Iterator

from agents_core.llm import catalog
from agents_core.llm.providers._sse import ServerEvent
from agents_core.llm.providers._wire import (
    JSON,
    Answer,
    Delta,
    Draft,
    Encoded,
    Wire,
    arguments_object,
    count,
    dump,
    parse,
    safe_call_id,
    section,
)
from agents_core.llm.types import (
    ChatMessage,
    FinishReason,
    Image,
    ModelRequest,
    Part,
    Placed,
    Text,
    ToolCall,
    ToolSpec,
    Usage,
)

CACHED = {"type": "ephemeral"}
SMALLEST_BUDGET_TOKENS = 1024
ROOM_FOR_ANSWER_TOKENS = 4096
DEFAULT_OUTPUT_TOKENS = 32_000

# --- the request -------------------------------------------------------------------------------------------------


def encode(request: ModelRequest) -> Encoded:
    """Cache marks stand on the last tool, the system prompt and the last message, each the end of a prefix to reuse."""
    tools = [_tool(tool) for tool in request.tools]
    system = [{"type": "text", "text": request.system}] if request.system.strip() else []
    messages, placed = _messages(request)
    for prefix_end in (tools, system, messages[-1]["content"]):
        _mark(prefix_end)
    body = {
        "model": request.model,
        **_options(request),
        **({"tools": tools, "tool_choice": _tool_choice(request)} if tools else {}),
        **({"system": system} if system else {}),
        "messages": messages,
        "stream": True,
    }
    tools_placed = (Placed(("tools", i), "tool", i) for i in range(len(tools)))
    system_placed = (Placed(("system", 0, "text"), "system") for _ in system)
    return Encoded(dump(body), (*tools_placed, *system_placed, *placed))


def _mark(blocks: list[JSON]) -> None:
    markable = [block for block in blocks if "thinking" not in block.get("type", "")]
    if markable:
        markable[-1]["cache_control"] = CACHED


def _messages(request: ModelRequest) -> tuple[list[JSON], list[Placed]]:
    """Turns of user and assistant by turns: consecutive messages of one side are merged, so a path leads to a block.

    The path ends inside the block, at its text or result, because a block's cache mark moves on with each step.
    """
    turns: list[JSON] = []
    placed: list[Placed] = []
    for index, message in enumerate(request.messages):
        for block, inner in _blocks(message):
            content = _turn(turns, "assistant" if message.role == "assistant" else "user")
            placed.append(Placed(("messages", len(turns) - 1, "content", len(content), *inner), "message", index))
            content.append(block)
    return turns or [{"role": "user", "content": [dict(_OPENING)]}], placed


# Anthropic wants a user to speak first, and refuses an empty list.
_OPENING = {"type": "text", "text": "(The conversation goes on.)"}


def _turn(turns: list[JSON], role: str) -> list[JSON]:
    if not turns and role == "assistant":
        turns.append({"role": "user", "content": [dict(_OPENING)]})
    if not turns or turns[-1]["role"] != role:
        turns.append({"role": role, "content": []})
    content: list[JSON] = turns[-1]["content"]
    return content


def _blocks(message: ChatMessage) -> Iterator[tuple[JSON, tuple[str, ...]]]:
    """The blocks of a message, each with the path inside it to what the message says."""
    if message.role == "tool":
        yield _result(message)
        return
    for part in message.parts:
        if block := _block(part, message.role):
            yield block, ("text",) if isinstance(part, Text) else ()
    for call in message.tool_calls:
        yield _call(call), ()


def _block(part: Part, role: str) -> JSON | None:
    """None for what Anthropic refuses: blank text, and the thinking of other providers."""
    if isinstance(part, Text):
        return {"type": "text", "text": _spoken(part.text, role)} if part.text.strip() else None
    if isinstance(part, Image):
        return {"type": "image", "source": {"type": "base64", "media_type": part.media_type, "data": part.data}}
    if not part.signature or part.signature.startswith("{"):
        return None
    if part.redacted:
        return {"type": "redacted_thinking", "data": part.signature}
    return {"type": "thinking", "thinking": part.text, "signature": part.signature}


def _spoken(text: str, role: str) -> str:
    """An operator's message in mid-conversation is tagged: only the newest models take a system message there."""
    return f"<system>\n{text}\n</system>" if role == "system" else text


def _call(call: ToolCall) -> JSON:
    return {
        "type": "tool_use",
        "id": safe_call_id(call.id),
        "name": call.name,
        "input": arguments_object(call.arguments),
    }


def _result(message: ChatMessage) -> tuple[JSON, tuple[str, ...]]:
    block: JSON = {"type": "tool_result", "tool_use_id": safe_call_id(message.tool_call_id or "")}
    content = [inner for part in message.parts if (inner := _block(part, message.role))]
    if content:
        block["content"] = message.text if all(isinstance(part, Text) for part in message.parts) else content
    if message.is_error:
        block["is_error"] = True
    return block, ("content",) if content else ()


def _tool(tool: ToolSpec) -> JSON:
    return {"name": tool.name, "description": tool.description, "input_schema": {"type": "object", **tool.parameters}}


def _tool_choice(request: ModelRequest) -> JSON:
    kinds = {"auto": "auto", "required": "any", "none": "none"}
    choice: JSON = {"type": kinds.get(request.tool_choice, "tool")}
    if choice["type"] == "tool":
        choice["name"] = request.tool_choice
    if choice["type"] != "none" and not request.parallel_tool_calls:
        choice["disable_parallel_tool_use"] = True
    return choice


def _options(request: ModelRequest) -> JSON:
    thinking, effort = _thinking(request), request.reasoning_effort
    output_config = {
        **({"effort": effort} if effort and catalog.facts(request.model).reasoning == "adaptive" else {}),
        **_format(request.response_format or {}),
    }
    return {
        "max_tokens": _max_tokens(request, thinking),
        **({"thinking": thinking} if thinking else {}),
        **({"output_config": output_config} if output_config else {}),
    }


def _thinking(request: ModelRequest) -> JSON | None:
    """None when nobody asked for it, and when a tool is forced: the two exclude each other."""
    wanted = request.reasoning_tokens or request.reasoning_effort
    if not wanted or (request.tools and request.tool_choice not in ("auto", "none")):
        return None
    match catalog.facts(request.model).reasoning:
        case "adaptive":
            return {"type": "adaptive", "display": "summarized"}
        case "budget" if request.reasoning_tokens:
            return {"type": "enabled", "budget_tokens": max(request.reasoning_tokens, SMALLEST_BUDGET_TOKENS)}
    return None


def _max_tokens(request: ModelRequest, thinking: JSON | None) -> int:
    """The limit asked for, else the model's own, up to a sensible one: Anthropic reserves it in the context window.

    A budget for thinking must leave room below it.
    """
    limit = request.max_output_tokens or min(catalog.facts(request.model).max_output_tokens, DEFAULT_OUTPUT_TOKENS)
    budget = (thinking or {}).get("budget_tokens", 0)
    return limit if limit > budget else budget + ROOM_FOR_ANSWER_TOKENS


def _format(response_format: JSON) -> JSON:
    schema = section(response_format, "json_schema").get("schema")
    return {"format": {"type": "json_schema", "schema": schema}} if schema else {}


# --- the answer --------------------------------------------------------------------------------------------------

_FINISH: dict[str, FinishReason] = {
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "refusal": "refused",
}


class MessagesReader:
    def __init__(self) -> None:
        self._draft = Draft()
        self._calls: dict[int, int] = {}
        self._signatures: dict[int, str] = {}
        self._usage: JSON = {}
        self._stop_reason: str | None = None
        self._id: str | None = None
        self._readers = {
            "message_start": self._start,
            "content_block_start": self._block_start,
            "content_block_delta": self._block_delta,
            "content_block_stop": self._block_stop,
            "message_delta": self._message_delta,
        }

    def read(self, event: ServerEvent) -> Iterator[Delta]:
        payload = parse(event)
        if reader := self._readers.get(payload.get("type", "")):
            yield from reader(payload)

    def _start(self, payload: JSON) -> Iterator[Delta]:
        message = section(payload, "message")
        self._id = message.get("id")
        self._count(section(message, "usage"))
        yield from ()

    def _block_start(self, payload: JSON) -> Iterator[Delta]:
        block, position = section(payload, "content_block"), count(payload.get("index"))
        match block.get("type"):
            case "text":
                yield from self._draft.text(block.get("text") or "")
            case "thinking":
                self._signatures[position] = block.get("signature") or ""
                yield from self._draft.reasoning(block.get("thinking") or "")
            case "redacted_thinking":
                self._draft.sign(block.get("data") or "", redacted=True)
            case "tool_use":
                self._calls[position] = self._draft.calls
                yield from self._draft.call(block.get("id"), block.get("name") or "")

    def _block_delta(self, payload: JSON) -> Iterator[Delta]:
        delta, position = section(payload, "delta"), count(payload.get("index"))
        match delta.get("type"):
            case "text_delta":
                yield from self._draft.text(delta.get("text") or "")
            case "thinking_delta":
                yield from self._draft.reasoning(delta.get("thinking") or "")
            case "signature_delta":
                self._signatures[position] = self._signatures.get(position, "") + (delta.get("signature") or "")
            case "input_json_delta" if position in self._calls:
                yield from self._draft.arguments(self._calls[position], delta.get("partial_json") or "")

    def _block_stop(self, payload: JSON) -> Iterator[Delta]:
        if signature := self._signatures.get(count(payload.get("index"))):
            self._draft.sign(signature)
        yield from ()

    def _message_delta(self, payload: JSON) -> Iterator[Delta]:
        self._stop_reason = section(payload, "delta").get("stop_reason") or self._stop_reason
        self._count(section(payload, "usage"))
        yield from ()

    def _count(self, usage: JSON) -> None:
        """Usage comes in two halves, the later one cumulative."""
        self._usage.update({name: value for name, value in usage.items() if value is not None})

    def answer(self) -> Answer | None:
        if self._stop_reason is None:
            return None
        return Answer(self._draft.message(), _FINISH.get(self._stop_reason, "stop"), self._tokens(), self._id)

    def _tokens(self) -> Usage:
        """Anthropic counts what was read from and written to the cache beside ``input_tokens``, not in it."""
        read = count(self._usage.get("cache_read_input_tokens"))
        written = count(self._usage.get("cache_creation_input_tokens"))
        return Usage(
            input_tokens=count(self._usage.get("input_tokens")) + read + written,
            output_tokens=count(self._usage.get("output_tokens")),
            cached_input_tokens=read,
            cache_write_tokens=written,
            reasoning_tokens=count(section(self._usage, "output_tokens_details").get("thinking_tokens")),
        )


MESSAGES = Wire("/v1/messages", encode, MessagesReader)
