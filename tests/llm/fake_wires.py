"""How a ``Reply`` looks on each provider's wire, streamed and whole. Written from the providers' API references."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

JSON = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Reply:
    """What the server does with one request; the same reply suits every wire format.

    ``calls`` are (name, arguments) of tool calls. ``end_after``, ``cut_after`` and ``stall_after`` count events: the
    stream then ends in good order, breaks its connection, or falls silent. ``piece_bytes`` sends it in pieces of that
    size. ``body`` is sent as it is. A ``status`` from 400 on is an error with ``text`` and ``code``.
    """

    text: str = ""
    reasoning: str = ""
    calls: tuple[tuple[str, str], ...] = ()
    finish: str = "stop"
    cached_tokens: int = 0
    usage: bool = True
    status: int = 200
    code: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    content_type: str = ""
    delay_s: float = 0.0
    piece_bytes: int = 0
    end_after: int | None = None
    cut_after: int | None = None
    stall_after: int | None = None

    @property
    def is_plain(self) -> bool:
        """Whether it is not what a model answers."""
        return self.body is not None or self.status >= 400

    @property
    def output_tokens(self) -> int:
        return len(words(self.reasoning)) + len(words(self.text)) + sum(len(words(a)) + 1 for _, a in self.calls)


def refuse(status: int, text: str, code: str = "", **headers: str) -> Reply:
    """An error answer. Header names are given with underscores: ``retry_after="2"``."""
    return Reply(text, status=status, code=code, headers={k.replace("_", "-"): v for k, v in headers.items()})


def words(text: str) -> list[str]:
    return re.findall(r"\s*\S+|\s+$", text)


def pieces(text: str, size: int = 7) -> list[str]:
    return [text[i : i + size] for i in range(0, len(text), size)]


def call_id(position: int) -> str:
    return f"call_{position}"


def line(payload: Any, event: str = "") -> bytes:
    head = f"event: {event}\n" if event else ""
    return f"{head}data: {json.dumps(payload, ensure_ascii=False)}\n\n".encode()


# --- chat completions --------------------------------------------------------------------------------------------


def chat_events(reply: Reply, input_tokens: int) -> Iterator[bytes]:
    yield _chat_chunk({"role": "assistant", "content": ""})
    for word in words(reply.reasoning):
        yield _chat_chunk({"reasoning_content": word})
    for word in words(reply.text):
        yield _chat_chunk({"content": word})
    for index, (name, arguments) in enumerate(reply.calls):
        head = {"index": index, "id": call_id(index), "type": "function", "function": {"name": name, "arguments": ""}}
        yield _chat_chunk({"tool_calls": [head]})
        for piece in pieces(arguments):
            yield _chat_chunk({"tool_calls": [{"index": index, "function": {"arguments": piece}}]})
    yield _chat_chunk({}, _chat_finish(reply))
    if reply.usage:
        yield line({"id": "chatcmpl-1", "choices": [], "usage": _chat_usage(reply, input_tokens)})
    yield b"data: [DONE]\n\n"


def _chat_chunk(delta: JSON, finish: str | None = None) -> bytes:
    return line({"id": "chatcmpl-1", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})


def _chat_finish(reply: Reply) -> str:
    finish = {"refused": "content_filter"}.get(reply.finish, reply.finish)
    return "tool_calls" if reply.calls and finish == "stop" else finish


def _chat_usage(reply: Reply, input_tokens: int) -> JSON:
    return {
        "prompt_tokens": input_tokens,
        "completion_tokens": reply.output_tokens,
        "prompt_tokens_details": {"cached_tokens": reply.cached_tokens},
        "completion_tokens_details": {"reasoning_tokens": len(words(reply.reasoning))},
    }


def chat_whole(reply: Reply, input_tokens: int) -> JSON:
    calls = [
        {"id": call_id(i), "type": "function", "function": {"name": name, "arguments": arguments}}
        for i, (name, arguments) in enumerate(reply.calls)
    ]
    message = {"role": "assistant", "content": reply.text or None, **({"tool_calls": calls} if calls else {})}
    choice = {"index": 0, "message": message, "finish_reason": _chat_finish(reply)}
    return {"id": "chatcmpl-1", "choices": [choice], "usage": _chat_usage(reply, input_tokens)}


# --- Responses ---------------------------------------------------------------------------------------------------


def responses_events(reply: Reply, input_tokens: int) -> Iterator[bytes]:
    yield _typed("response.created", response={"id": "resp_1", "status": "in_progress"})
    for index, item in enumerate(_response_items(reply)):
        yield _typed("response.output_item.added", output_index=index, item=_begun(item))
        yield from _response_deltas(item, index)
        yield _typed("response.output_item.done", output_index=index, item=item)
    kind = "completed" if reply.finish == "stop" else "incomplete"
    yield _typed(f"response.{kind}", response=responses_whole(reply, input_tokens))


def _typed(kind: str, **payload: Any) -> bytes:
    return line({"type": kind, **payload}, kind)


def _begun(item: JSON) -> JSON:
    empty: dict[str, Any] = {"arguments": "", "content": [], "summary": []}
    return {key: empty.get(key, value) for key, value in item.items()}


def _response_deltas(item: JSON, index: int) -> Iterator[bytes]:
    if item["type"] == "reasoning":
        for word in words(item["summary"][0]["text"]):
            yield _typed("response.reasoning_summary_text.delta", output_index=index, summary_index=0, delta=word)
    elif item["type"] == "message":
        for word in words(item["content"][0]["text"]):
            yield _typed("response.output_text.delta", output_index=index, content_index=0, delta=word)
    else:
        for piece in pieces(item["arguments"]):
            yield _typed("response.function_call_arguments.delta", output_index=index, delta=piece)


def _response_items(reply: Reply) -> Iterator[JSON]:
    if reply.reasoning:
        summary = [{"type": "summary_text", "text": reply.reasoning}]
        yield {"type": "reasoning", "id": "rs_1", "summary": summary, "encrypted_content": "c2VhbGVk"}
    if reply.text:
        content = [{"type": "output_text", "text": reply.text, "annotations": []}]
        yield {"type": "message", "id": "msg_1", "role": "assistant", "content": content}
    for i, (name, arguments) in enumerate(reply.calls):
        yield {"type": "function_call", "id": f"fc_{i}", "call_id": call_id(i), "name": name, "arguments": arguments}


def responses_whole(reply: Reply, input_tokens: int) -> JSON:
    reasons = {"length": "max_output_tokens", "refused": "content_filter"}
    usage = {
        "input_tokens": input_tokens,
        "output_tokens": reply.output_tokens,
        "input_tokens_details": {"cached_tokens": reply.cached_tokens},
        "output_tokens_details": {"reasoning_tokens": len(words(reply.reasoning))},
    }
    return {
        "id": "resp_1",
        "object": "response",
        "status": "completed" if reply.finish == "stop" else "incomplete",
        "incomplete_details": None if reply.finish == "stop" else {"reason": reasons[reply.finish]},
        "output": list(_response_items(reply)),
        "usage": usage if reply.usage else None,
    }


# --- Anthropic's Messages ----------------------------------------------------------------------------------------


def messages_events(reply: Reply, input_tokens: int) -> Iterator[bytes]:
    begun = {"input_tokens": input_tokens - reply.cached_tokens, "cache_read_input_tokens": reply.cached_tokens}
    start: JSON = {"id": "msg_1", "type": "message", "role": "assistant", "content": [], "stop_reason": None}
    yield _typed("message_start", message={**start, "usage": {**begun, "output_tokens": 1} if reply.usage else {}})
    yield _typed("ping")
    for index, block in enumerate(_blocks(reply)):
        yield _typed("content_block_start", index=index, content_block=_begun_block(block))
        for delta in _block_deltas(block):
            yield _typed("content_block_delta", index=index, delta=delta)
        yield _typed("content_block_stop", index=index)
    thinking = {"thinking_tokens": len(words(reply.reasoning))}
    usage = {"output_tokens": reply.output_tokens, "output_tokens_details": thinking} if reply.usage else {}
    yield _typed("message_delta", delta={"stop_reason": _stop_reason(reply), "stop_sequence": None}, usage=usage)
    yield _typed("message_stop")


def _blocks(reply: Reply) -> Iterator[JSON]:
    if reply.reasoning:
        yield {"type": "thinking", "thinking": reply.reasoning, "signature": "c2lnbmVk"}
    if reply.text:
        yield {"type": "text", "text": reply.text}
    for i, (name, arguments) in enumerate(reply.calls):
        yield {"type": "tool_use", "id": call_id(i), "name": name, "input": arguments}


def _begun_block(block: JSON) -> JSON:
    empty: dict[str, Any] = {"text": "", "thinking": "", "signature": "", "input": {}}
    return {key: empty.get(key, value) if key != "type" else value for key, value in block.items()}


def _block_deltas(block: JSON) -> Iterator[JSON]:
    if block["type"] == "thinking":
        yield from ({"type": "thinking_delta", "thinking": word} for word in words(block["thinking"]))
        yield {"type": "signature_delta", "signature": block["signature"]}
    elif block["type"] == "text":
        yield from ({"type": "text_delta", "text": word} for word in words(block["text"]))
    else:
        yield {"type": "input_json_delta", "partial_json": ""}
        yield from ({"type": "input_json_delta", "partial_json": piece} for piece in pieces(block["input"]))


def _stop_reason(reply: Reply) -> str:
    if reply.finish == "stop":
        return "tool_use" if reply.calls else "end_turn"
    return {"length": "max_tokens", "refused": "refusal"}[reply.finish]


def messages_whole(reply: Reply, input_tokens: int) -> JSON:
    blocks = [{**b, "input": json.loads(b["input"])} if b["type"] == "tool_use" else b for b in _blocks(reply)]
    usage = {
        "input_tokens": input_tokens - reply.cached_tokens,
        "cache_read_input_tokens": reply.cached_tokens,
        "output_tokens": reply.output_tokens,
    }
    head = {"id": "msg_1", "type": "message", "role": "assistant"}
    return {**head, "content": blocks, "stop_reason": _stop_reason(reply), "usage": usage}


# --- errors ------------------------------------------------------------------------------------------------------


def openai_error(reply: Reply) -> JSON:
    return {
        "error": {"message": reply.text, "type": "invalid_request_error", "param": None, "code": reply.code or None}
    }


def anthropic_error(reply: Reply) -> JSON:
    return {"type": "error", "error": {"type": reply.code or "invalid_request_error", "message": reply.text}}
