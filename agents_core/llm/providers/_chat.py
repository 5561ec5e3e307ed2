"""The wire format of chat completions, spoken by nearly every server (https://platform.openai.com/docs/api-reference/chat).

Servers differ in what they leave out: the end mark, usage, the index or id of a tool call. All of it is optional here.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from agents_core.llm import catalog
from agents_core.llm.providers._sse import ServerEvent
from agents_core.llm.providers._wire import (
    JSON,
    Answer,
    Delta,
    Draft,
    Encoded,
    Wire,
    arguments_text,
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
    Reasoning,
    Text,
    ToolCall,
    ToolSpec,
    Usage,
)

# --- the request -------------------------------------------------------------------------------------------------


def encode(request: ModelRequest) -> Encoded:
    messages, placed = _messages(request)
    tools = [_tool(tool) for tool in request.tools]
    body = {
        "model": request.model,
        **({"tools": tools, **_tool_options(request)} if tools else {}),
        "messages": messages,
        **_options(request),
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    return Encoded(dump(body), (*(Placed(("tools", i), "tool", i) for i in range(len(tools))), *placed))


def _messages(request: ModelRequest) -> tuple[list[JSON], list[Placed]]:
    encoded: list[JSON] = []
    placed: list[Placed] = []
    if request.system:
        encoded.append({"role": "system", "content": request.system})
        placed.append(Placed(("messages", 0, "content"), "system"))
    for index, message in _images_after_results(request.messages):
        placed.append(Placed(("messages", len(encoded)), "message", index))
        encoded.append(_message(message))
    return encoded, placed


def _images_after_results(messages: Iterable[ChatMessage]) -> Iterator[tuple[int, ChatMessage]]:
    """The messages with their numbers; images of tool results follow the last result of the row, as a user's message.

    This format has no images in a tool's message, and nothing may stand between the results of one answer's calls.
    """
    waiting: list[tuple[int, ChatMessage]] = []
    for index, message in enumerate(messages):
        if message.role != "tool":
            yield from waiting
            waiting = []
        elif images := tuple(part for part in message.parts if isinstance(part, Image)):
            waiting.append((index, ChatMessage("user", images)))
        yield index, message
    yield from waiting


def _message(message: ChatMessage) -> JSON:
    if message.role == "tool":
        return {"role": "tool", "tool_call_id": safe_call_id(message.tool_call_id or ""), "content": message.text}
    encoded: JSON = {"role": message.role, "content": _content(message)}
    if message.tool_calls:
        extras = _extras(message)
        encoded["tool_calls"] = [_call(call, extras) for call in message.tool_calls]
        encoded["content"] = encoded["content"] or None
    return encoded


def _content(message: ChatMessage) -> str | list[JSON]:
    if message.role == "user" and any(isinstance(part, Image) for part in message.parts):
        return [block for part in message.parts if (block := _block(part))]
    return message.text


def _block(part: Part) -> JSON | None:
    if isinstance(part, Image):
        return {"type": "image_url", "image_url": {"url": f"data:{part.media_type};base64,{part.data}"}}
    return {"type": "text", "text": part.text} if isinstance(part, Text) and part.text else None


def _call(call: ToolCall, extras: dict[str, JSON]) -> JSON:
    function = {"name": call.name, "arguments": arguments_text(call.arguments)}
    encoded: JSON = {"id": safe_call_id(call.id), "type": "function", "function": function}
    return {**encoded, "extra_content": extras[call.id]} if call.id in extras else encoded


def _tool(tool: ToolSpec) -> JSON:
    function = {"name": tool.name, "description": tool.description, "parameters": tool.parameters}
    return {"type": "function", "function": function}


def _tool_options(request: ModelRequest) -> JSON:
    choice = request.tool_choice
    forced = {"type": "function", "function": {"name": choice}}
    return {
        "tool_choice": choice if choice in ("auto", "required", "none") else forced,
        "parallel_tool_calls": request.parallel_tool_calls,
    }


def _options(request: ModelRequest) -> JSON:
    """OpenAI's reasoning models have their own name for the output limit and refuse a temperature."""
    reasons = catalog.facts(request.model).reasoning == "effort"
    options = {
        "max_completion_tokens" if reasons else "max_tokens": request.max_output_tokens,
        "temperature": None if reasons else request.temperature,
        "reasoning_effort": request.reasoning_effort,
        "response_format": request.response_format,
    }
    return {name: value for name, value in options.items() if value is not None}


# --- Gemini's thought signatures: opaque extras of a call, which must come back with it ------------------------------


def _extras_part(extras: dict[str, JSON]) -> Reasoning:
    return Reasoning("", json.dumps({"extra_content": extras}), redacted=True)


def _extras(message: ChatMessage) -> dict[str, JSON]:
    for part in message.parts:
        if isinstance(part, Reasoning) and (part.signature or "").startswith('{"extra_content"'):
            extras: dict[str, JSON] = json.loads(part.signature or "")["extra_content"]
            return extras
    return {}


# --- the answer --------------------------------------------------------------------------------------------------

_FINISH: dict[str, FinishReason] = {
    "stop": "stop",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "length": "length",
    "content_filter": "refused",
}


class ChatReader:
    def __init__(self) -> None:
        self._draft = Draft()
        self._calls: dict[Any, int] = {}
        self._extras: dict[str, JSON] = {}
        self._finish: str | None = None
        self._refused = False
        self._done = False
        self._usage: JSON = {}
        self._id: str | None = None

    def read(self, event: ServerEvent) -> Iterator[Delta]:
        if event.data.strip() == b"[DONE]":
            self._done = True
            return
        chunk = parse(event)
        self._id = chunk.get("id") or self._id
        self._usage = section(chunk, "usage") or self._usage
        for choice in (chunk.get("choices") or [])[:1]:
            yield from self._delta(section(choice, "delta"))
            self._finish = choice.get("finish_reason") or self._finish

    def _delta(self, delta: JSON) -> Iterator[Delta]:
        # vLLM and DeepSeek say reasoning_content; Ollama, Groq and newer vLLM say reasoning.
        yield from self._draft.reasoning(delta.get("reasoning_content") or delta.get("reasoning") or "")
        yield from self._draft.text(delta.get("content") or "")
        if refusal := delta.get("refusal"):
            self._refused = True
            yield from self._draft.text(refusal)
        for call in delta.get("tool_calls") or []:
            yield from self._call(call)

    def _call(self, call: JSON) -> Iterator[Delta]:
        function = section(call, "function")
        arguments = function.get("arguments") or ""
        arguments = arguments if isinstance(arguments, str) else json.dumps(arguments)
        index = self._known(call)
        if index is not None:
            yield from self._draft.arguments(index, arguments)
        else:
            index = self._calls[call.get("index")] = self._draft.calls
            yield from self._draft.call(call.get("id"), function.get("name") or "", arguments)
        if extra := call.get("extra_content"):
            self._extras[self._draft.call_id(index)] = extra

    def _known(self, call: JSON) -> int | None:
        """Which call this piece goes on with; None when it begins one. Some servers send no index, or always 0."""
        index = self._calls.get(call.get("index"))
        if index is None or call.get("id"):
            return index if index is not None and call["id"] == self._draft.call_id(index) else None
        unnumbered = call.get("index") is None
        return None if unnumbered and section(call, "function").get("name") else index

    def answer(self) -> Answer | None:
        if not (self._done or self._finish):
            return None
        if self._extras:
            self._draft.sign(_extras_part(self._extras).signature or "", redacted=True)
        return Answer(self._draft.message(), self._finish_reason(), self._tokens(), self._id)

    def _finish_reason(self) -> FinishReason:
        reason = "refused" if self._refused else _FINISH.get(self._finish or "stop", "stop")
        return "tool_calls" if reason == "stop" and self._draft.calls else reason

    def _tokens(self) -> Usage:
        prompt, completion = (
            section(self._usage, "prompt_tokens_details"),
            section(self._usage, "completion_tokens_details"),
        )
        return Usage(
            input_tokens=count(self._usage.get("prompt_tokens")),
            output_tokens=count(self._usage.get("completion_tokens")),
            cached_input_tokens=count(prompt.get("cached_tokens")),
            cache_write_tokens=count(prompt.get("cache_write_tokens")),
            reasoning_tokens=count(completion.get("reasoning_tokens")),
        )


CHAT = Wire("/chat/completions", encode, ChatReader)
