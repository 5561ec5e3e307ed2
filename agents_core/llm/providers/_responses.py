"""The wire format of OpenAI's Responses API (https://platform.openai.com/docs/api-reference/responses).

Nothing is stored at OpenAI (``store`` is false): the whole conversation goes out each time, and a reasoning model's
thinking comes back encrypted. Such an item is kept whole, as JSON, in ``Reasoning.signature`` and returned as it was.
"""

import json
from collections.abc import Iterator

from agents_core.llm import catalog
from agents_core.llm.providers._sse import ServerEvent
from agents_core.llm.providers._wire import (
    JSON,
    Answer,
    Delta,
    Draft,
    Encoded,
    StreamError,
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
    items, placed = _input(request)
    tools = [_tool(tool) for tool in request.tools]
    body = {
        "model": request.model,
        **({"instructions": request.system} if request.system else {}),
        **({"tools": tools, **_tool_options(request)} if tools else {}),
        "input": items,
        **_options(request),
        "store": False,
        "stream": True,
    }
    system = (Placed(("instructions",), "system"),) if request.system else ()
    return Encoded(dump(body), (*system, *(Placed(("tools", i), "tool", i) for i in range(len(tools))), *placed))


def _input(request: ModelRequest) -> tuple[list[JSON], list[Placed]]:
    items: list[JSON] = []
    placed: list[Placed] = []
    for index, message in enumerate(request.messages):
        for item in _items(message):
            placed.append(Placed(("input", len(items)), "message", index))
            items.append(item)
    return items, placed


def _items(message: ChatMessage) -> Iterator[JSON]:
    if message.role == "tool":
        yield _result(message)
    elif message.role == "assistant":
        yield from _assistant_items(message)
    else:
        yield {"type": "message", "role": message.role, "content": _content(message.parts)}


def _assistant_items(message: ChatMessage) -> Iterator[JSON]:
    for part in message.parts:
        if isinstance(part, Reasoning) and (item := _reasoning_item(part)):
            yield item
        elif isinstance(part, Text) and part.text:
            yield {"type": "message", "role": "assistant", "content": part.text}
    yield from (_call(call) for call in message.tool_calls)


def _reasoning_item(part: Reasoning) -> JSON | None:
    """The item as OpenAI gave it; None for the thinking of another provider, which OpenAI could not read."""
    if not (part.signature or "").startswith("{"):
        return None
    item: JSON = json.loads(part.signature or "{}")
    return item if item.get("type") == "reasoning" else None


def _content(parts: tuple[Part, ...]) -> str | list[JSON]:
    if not any(isinstance(part, Image) for part in parts):
        return "".join(part.text for part in parts if isinstance(part, Text))
    return [block for part in parts if (block := _block(part))]


def _block(part: Part) -> JSON | None:
    if isinstance(part, Image):
        return {"type": "input_image", "image_url": f"data:{part.media_type};base64,{part.data}"}
    return {"type": "input_text", "text": part.text} if isinstance(part, Text) and part.text else None


def _call(call: ToolCall) -> JSON:
    return {
        "type": "function_call",
        "call_id": safe_call_id(call.id),
        "name": call.name,
        "arguments": arguments_text(call.arguments),
    }


def _result(message: ChatMessage) -> JSON:
    call_id = safe_call_id(message.tool_call_id or "")
    return {"type": "function_call_output", "call_id": call_id, "output": _content(message.parts)}


def _tool(tool: ToolSpec) -> JSON:
    """Not strict: strict mode takes only schemas in which every property is required."""
    return {
        "type": "function",
        "name": tool.name,
        "description": tool.description,
        "parameters": tool.parameters,
        "strict": False,
    }


def _tool_options(request: ModelRequest) -> JSON:
    choice = request.tool_choice
    return {
        "tool_choice": choice if choice in ("auto", "required", "none") else {"type": "function", "name": choice},
        "parallel_tool_calls": request.parallel_tool_calls,
    }


def _options(request: ModelRequest) -> JSON:
    """Reasoning models refuse a temperature, others refuse to hand out encrypted thinking."""
    reasons = catalog.facts(request.model).reasoning == "effort"
    options = {
        "max_output_tokens": request.max_output_tokens,
        "temperature": None if reasons else request.temperature,
        "reasoning": {"effort": request.reasoning_effort, "summary": "auto"} if request.reasoning_effort else None,
        "include": ["reasoning.encrypted_content"] if reasons else None,
        "text": {"format": _format(request.response_format)} if request.response_format else None,
    }
    return {name: value for name, value in options.items() if value is not None}


def _format(response_format: JSON) -> JSON:
    """The format as this API has it: the schema's fields beside the type, not below it."""
    return {"type": response_format["type"], **section(response_format, "json_schema")}


# --- the answer --------------------------------------------------------------------------------------------------


class ResponsesReader:
    def __init__(self) -> None:
        self._draft = Draft()
        self._calls: dict[int, int] = {}
        self._refused = False
        self._response: JSON | None = None
        self._readers = {
            "response.output_text.delta": self._text,
            "response.refusal.delta": self._refusal,
            "response.reasoning_summary_part.added": self._summary_part,
            "response.reasoning_summary_text.delta": self._reasoning,
            "response.reasoning_text.delta": self._reasoning,
            "response.output_item.added": self._item_added,
            "response.function_call_arguments.delta": self._arguments,
            "response.output_item.done": self._item_done,
            "response.completed": self._end,
            "response.incomplete": self._end,
            "response.failed": self._failed,
        }

    def read(self, event: ServerEvent) -> Iterator[Delta]:
        if event.data.strip() == b"[DONE]":
            return
        payload = parse(event)
        if reader := self._readers.get(payload.get("type", "")):
            yield from reader(payload)

    def _text(self, payload: JSON) -> Iterator[Delta]:
        yield from self._draft.text(payload.get("delta") or "")

    def _refusal(self, payload: JSON) -> Iterator[Delta]:
        self._refused = True
        yield from self._text(payload)

    def _reasoning(self, payload: JSON) -> Iterator[Delta]:
        yield from self._draft.reasoning(payload.get("delta") or "")

    def _summary_part(self, payload: JSON) -> Iterator[Delta]:
        if payload.get("summary_index"):
            yield from self._draft.reasoning("\n\n")

    def _item_added(self, payload: JSON) -> Iterator[Delta]:
        item = section(payload, "item")
        if item.get("type") == "function_call":
            self._calls[count(payload.get("output_index"))] = self._draft.calls
            yield from self._draft.call(item.get("call_id"), item.get("name") or "", item.get("arguments") or "")

    def _arguments(self, payload: JSON) -> Iterator[Delta]:
        index = self._calls.get(count(payload.get("output_index")))
        if index is not None:
            yield from self._draft.arguments(index, payload.get("delta") or "")

    def _item_done(self, payload: JSON) -> Iterator[Delta]:
        item = section(payload, "item")
        if item.get("type") == "reasoning" and item.get("encrypted_content"):
            self._draft.sign(json.dumps(item, ensure_ascii=False))
        if item.get("type") == "function_call":
            yield from self._rest_of_arguments(payload, item)

    def _rest_of_arguments(self, payload: JSON, item: JSON) -> Iterator[Delta]:
        """Arguments that came whole, without deltas."""
        index = self._calls.get(count(payload.get("output_index")))
        if index is not None and not self._draft.arguments_so_far(index):
            yield from self._draft.arguments(index, item.get("arguments") or "")

    def _end(self, payload: JSON) -> Iterator[Delta]:
        self._response = section(payload, "response")
        yield from ()

    def _failed(self, payload: JSON) -> Iterator[Delta]:
        raise StreamError(section(payload, "response"))

    def answer(self) -> Answer | None:
        if self._response is None:
            return None
        return Answer(self._draft.message(), self._finish_reason(), self._tokens(), self._response.get("id"))

    def _finish_reason(self) -> FinishReason:
        reason = section(self._response or {}, "incomplete_details").get("reason")
        if self._refused or reason == "content_filter":
            return "refused"
        if reason:
            return "length"
        return "tool_calls" if self._draft.calls else "stop"

    def _tokens(self) -> Usage:
        usage = section(self._response or {}, "usage")
        inputs, outputs = section(usage, "input_tokens_details"), section(usage, "output_tokens_details")
        return Usage(
            input_tokens=count(usage.get("input_tokens")),
            output_tokens=count(usage.get("output_tokens")),
            cached_input_tokens=count(inputs.get("cached_tokens")),
            cache_write_tokens=count(inputs.get("cache_write_tokens")),
            reasoning_tokens=count(outputs.get("reasoning_tokens")),
        )


RESPONSES = Wire("/responses", encode, ResponsesReader)
