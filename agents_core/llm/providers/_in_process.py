"""What the two providers without a network share: how an answer made in this process is told as a stream."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from agents_core.llm import tokens
from agents_core.llm.providers._chat import encode
from agents_core.llm.providers._wire import JSON, Delta, dump
from agents_core.llm.types import (
    ChatMessage,
    Finished,
    FinishReason,
    ModelRequest,
    Part,
    Reasoning,
    ReasoningDelta,
    Sent,
    StreamItem,
    Text,
    TextDelta,
    ToolCall,
    ToolCallDelta,
    Usage,
)

PIECE_CHARS = 24
"""How much of a text or of a call's arguments one delta carries."""


@dataclass(frozen=True, slots=True)
class LocalAnswer:
    """An answer made in this process."""

    text: str = ""
    reasoning: str = ""
    calls: tuple[ToolCall, ...] = ()

    @property
    def message(self) -> ChatMessage:
        thinking: tuple[Part, ...] = (Reasoning(self.reasoning),) if self.reasoning else ()
        text: tuple[Part, ...] = (Text(self.text),) if self.text else ()
        return ChatMessage("assistant", thinking + text, self.calls)


def sent(request: ModelRequest, url: str) -> Sent:
    """The request as the JSON body of a chat-completions call, with the place of each of its parts."""
    encoded = encode(request)
    return Sent(encoded.body, encoded.layout, url)


def numbered_calls(request: ModelRequest, calls: Iterable[tuple[str, dict[str, Any]]]) -> tuple[ToolCall, ...]:
    """Calls with the ids "call_1", "call_2" …, counting on from those the conversation shows."""
    used = [call.id.removeprefix("call_") for message in request.messages for call in message.tool_calls]
    numbers = [int(number) for number in used if number.isdecimal() and len(number) < 16]
    first = max([len(used), *numbers]) + 1
    return tuple(
        ToolCall(f"call_{number}", name, dump(arguments).decode())
        for number, (name, arguments) in enumerate(calls, start=first)
    )


async def played(
    request: ModelRequest, answer: LocalAnswer, usage: Usage, started: float, delay_s: float = 0.0
) -> AsyncIterator[StreamItem]:
    """The deltas of ``answer``, each after ``delay_s``, then ``Finished``.

    ``started`` is the ``time.perf_counter`` of the request's arrival.
    """
    first_token_ms: float | None = None
    for delta in _deltas(answer):
        if delay_s:
            await asyncio.sleep(delay_s)
        if first_token_ms is None:
            first_token_ms = _ms_since(started)
        yield delta
    message = answer.message
    reason: FinishReason = "tool_calls" if answer.calls else "stop"
    body = _response(request.model, message, reason, usage)
    yield Finished(message, reason, usage, body, first_token_ms=first_token_ms, duration_ms=_ms_since(started))


def _deltas(answer: LocalAnswer) -> Iterator[Delta]:
    yield from map(ReasoningDelta, _pieces(answer.reasoning))
    yield from map(TextDelta, _pieces(answer.text))
    for index, call in enumerate(answer.calls):
        yield ToolCallDelta(index, call.id, call.name)
        for piece in _pieces(call.arguments):
            yield ToolCallDelta(index, arguments=piece)


def _pieces(text: str) -> Iterator[str]:
    return (text[start : start + PIECE_CHARS] for start in range(0, len(text), PIECE_CHARS))


def estimated_usage(request: ModelRequest, answer: ChatMessage) -> Usage:
    """What ``tokens`` counts for the request and for the answer."""
    prompt = sum(map(tokens.count_message, request.messages)) + tokens.count_tools(request.tools)
    thinking = sum(tokens.count(part.text) for part in answer.parts if isinstance(part, Reasoning))
    return Usage(
        input_tokens=prompt + tokens.count(request.system) + (tokens.MESSAGE_TOKENS if request.system else 0),
        output_tokens=tokens.count_message(answer),
        reasoning_tokens=thinking,
    )


def _response(model: str, message: ChatMessage, reason: str, usage: Usage) -> bytes:
    choice = {"index": 0, "message": _response_message(message), "finish_reason": reason}
    counts = {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.input_tokens + usage.output_tokens,
    }
    return dump({"object": "chat.completion", "model": model, "choices": [choice], "usage": counts})


def _response_message(message: ChatMessage) -> JSON:
    shaped: JSON = {"role": "assistant", "content": message.text or None}
    if thinking := "".join(part.text for part in message.parts if isinstance(part, Reasoning)):
        shaped["reasoning_content"] = thinking
    if message.tool_calls:
        shaped["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in message.tool_calls
        ]
    return shaped


def _ms_since(started: float) -> float:
    return (time.perf_counter() - started) * 1000
